// SPDX-License-Identifier: MIT
#include "fixture.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "system/calls.hpp"
#include "text.hpp"

namespace fs = std::filesystem;

namespace telec_test {

using telec::FileDescriptor;

TemporaryDirectory::TemporaryDirectory() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr && *base == '/' ? base : "/tmp") + "/telec-system-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    throw std::runtime_error("cannot create a temporary directory like " + path_);
  }
  path_ = fs::canonical(path_).native();
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryDirectory::names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) {
    names.push_back(entry.path().filename().native());
  }
  std::ranges::sort(names);
  return names;
}

void write_file(const std::string& path, const std::string& bytes, unsigned mode) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  if (::chmod(path.c_str(), mode) != 0) {
    throw std::runtime_error("cannot write " + path);
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return "(absent)";
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

bool exists(const std::string& path) { return fs::symlink_status(path).type() != fs::file_type::not_found; }

namespace {

struct stat status_of(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    throw std::runtime_error("there is no " + path);
  }
  return status;
}

std::string beside_this_program(const std::string& name) {
  return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

}  // namespace

unsigned mode_of(const std::string& path) { return status_of(path).st_mode & 07777U; }
ino_t inode_of(const std::string& path) { return status_of(path).st_ino; }

FileDescriptor open_directory(const std::string& path) {
  return telec::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
}

std::string child_program() { return beside_this_program("system_child"); }

std::string telec_program() {
  const char* named = std::getenv("TELEC_BINARY");
  return named != nullptr ? fs::absolute(named).native() : beside_this_program("../telec");
}

bool is_alive(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text.rfind(") ");
  return name_end != std::string::npos && text[name_end + 2] != 'Z' && text[name_end + 2] != 'X';
}

bool eventually(const std::function<bool()>& condition) {
  const double deadline = telec::monotonic_seconds() + 60;
  while (!condition()) {
    if (telec::monotonic_seconds() > deadline) {
      return false;
    }
    ::usleep(2000);
  }
  return true;
}

telec::LaunchSpec child_spec(std::vector<std::string> arguments) {
  static const FileDescriptor null = telec::open_at(AT_FDCWD, "/dev/null", O_RDWR);
  telec::LaunchSpec spec;
  spec.file = child_program();
  spec.arguments = std::move(arguments);
  spec.directory = "/";
  spec.descriptors = {null.get(), null.get(), null.get()};
  // A sanitizer's options have to reach a child that was built with it.
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name); value != nullptr) {
      spec.environment.push_back(std::string(name) + "=" + value);
    }
  }
  return spec;
}

int run(const telec::LaunchSpec& spec, std::string* failure) {
  const telec::Launched child = telec::launch(spec);
  if (!child.failed_step.empty()) {
    if (failure != nullptr) {
      *failure = "cannot " + child.failed_step + ": " + child.reason;
    }
    return -1;
  }
  int status = 0;
  if (telec::repeated([&] { return ::waitpid(child.pid, &status, 0); }) != child.pid) {
    throw std::runtime_error("the child cannot be waited for");
  }
  return status;
}

std::map<std::string, std::string> read_report(const std::string& path) {
  std::map<std::string, std::string> report;
  const std::string text = read_file(path);
  for (const std::string_view line : telec::lines_of(text)) {
    const std::size_t equals = line.find('=');
    report[std::string(line.substr(0, equals))] =
        equals == std::string_view::npos ? "" : std::string(line.substr(equals + 1));
  }
  return report;
}

std::string in_fork(const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  // High up, so that a body may do what it likes with the low descriptors.
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(::fcntl(ends[1], F_DUPFD_CLOEXEC, 200));
  ::close(ends[1]);
  std::fflush(stdout);  // ThreadSanitizer's _exit(2) flushes: a child would say again what doctest has said so far
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::string text;
    try {
      text = body();
    } catch (const std::exception& error) {
      text = std::string("threw: ") + error.what();
    }
    const bool written = telec::write_all(writing.get(), text.empty() ? "\n" : text);
    ::_exit(written ? 0 : 94);
  }
  writing.reset();
  std::string text;
  telec::read_all(reading.get(), text, std::size_t{1} << 20U);
  int status = 0;
  telec::repeated([&] { return ::waitpid(pid, &status, 0); });
  if (WIFSIGNALED(status)) {
    return "killed by " + std::to_string(WTERMSIG(status));
  }
  if (text.empty()) {
    return "exited with " + std::to_string(WEXITSTATUS(status));
  }
  return text == "\n" ? "" : text;
}

void let_calls_fail(const std::vector<FailingCall>& calls) {
  // What seccomp(2) shows a filter are 32 bits at a time; the low half of an argument comes first.
  static_assert(std::endian::native == std::endian::little);
  std::vector<sock_filter> filter;
  for (const FailingCall& one : calls) {
    const bool any = one.argument < 0;
    const auto argument = static_cast<unsigned>(any ? 0 : one.argument);
    filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(one.call), 0, 3));
    filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                              static_cast<unsigned>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t))));
    filter.push_back(any ? sock_filter BPF_STMT(BPF_LD | BPF_IMM, 0)
                         : sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one.value, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(one.error)));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    throw std::runtime_error("this kernel takes no seccomp filter");
  }
}

std::vector<FailingCall> failing_fstat(int error) {
  std::vector<FailingCall> calls = {{SYS_newfstatat, error, 3, AT_EMPTY_PATH}};
#ifdef SYS_fstat
  calls.push_back({SYS_fstat, error});
#endif
  return calls;
}

std::optional<telec::Error> error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const telec::Error& error) {
    return error;
  }
  return std::nullopt;
}

std::string fault_of(const std::function<void()>& body) {
  const auto error = error_of(body);
  return error ? std::string(telec::word_of(error->code)) + ": " + error->message : "no error";
}

std::string as_nobody(const std::function<std::string()>& body) {
  return in_fork([&]() -> std::string {
    constexpr unsigned nobody = 65534;
    if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setresgid(nobody, nobody, nobody) != 0 ||
                             ::setresuid(nobody, nobody, nobody) != 0)) {
      return "cannot become nobody";
    }
    ::unsetenv("TMPDIR");  // root's may be closed to nobody, /tmp is not
    return body();
  });
}

KeptSignalMask::KeptSignalMask() : mask_() { ::sigprocmask(SIG_SETMASK, nullptr, &mask_); }
KeptSignalMask::~KeptSignalMask() { ::sigprocmask(SIG_SETMASK, &mask_, nullptr); }

}  // namespace telec_test
