// SPDX-License-Identifier: MIT
#include "trusted_place.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string_view>

#include "../safety.hpp"
#include "../text.hpp"
#include "calls.hpp"
#include "listing.hpp"
#include "mutant.hpp"

namespace telec {
namespace {

constexpr int most_links = 40;  // as the kernel has it

std::optional<PlaceFacts> facts_of(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    throw io_error("look at", path, errno);
  }
  return PlaceFacts{
      path, status.st_uid, status.st_gid, status.st_mode & 07777U, S_ISDIR(status.st_mode), S_ISLNK(status.st_mode),
      false};
}

std::string target_of(const std::string& link) {
  std::array<char, 4096> buffer{};
  const ssize_t length = ::readlink(link.c_str(), buffer.data(), buffer.size());
  if (length < 0) {
    throw io_error("read the link", link, errno);
  }
  return {buffer.data(), static_cast<std::size_t>(length)};
}

PlaceFacts checked(const std::string& what, PlaceFacts place) {
  if (const std::string fault = fault_of(place); !fault.empty() && !mutant(Mutant::ownership_unchecked)) {
    throw unsafe_place(what, place, fault);
  }
  return place;
}

/// From the top down, so that paths do as well as descriptors would: what was found safe cannot be changed by anyone
/// else any more, and so neither can what the next look finds below it.
void walk(const std::string& what, const std::string& path) {
  std::string rest = path;
  std::string done;
  int links = 0;
  const auto root = facts_of("/");
  checked(what, root.value_or(PlaceFacts{}));
  while (!rest.empty()) {
    const std::size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) {
      return;
    }
    const std::size_t end = std::min(rest.find('/', begin), rest.size());
    const std::string name = rest.substr(begin, end - begin);
    rest.erase(0, end);
    if (name == ".") {
      continue;
    }
    if (name == "..") {
      done.erase(done.empty() ? 0 : done.rfind('/'));
      continue;
    }
    std::string here = done;
    here.append("/").append(name);
    auto place = facts_of(here);
    if (!place) {
      return;
    }
    place->is_on_the_way = rest.find_first_not_of('/') != std::string::npos;
    if (!checked(what, *place).is_link) {
      done = std::move(here);
      continue;
    }
    if (++links > most_links) {
      return;  // it leads nowhere, so nothing can be reached through it
    }
    const std::string target = target_of(place->path);
    if (target.starts_with('/')) {
      done.clear();
    }
    rest.insert(0, "/" + target);
  }
}

void refuse_if_everybody_writes(const std::string& what, const std::string& path) {
  const auto place = facts_of(path);
  if (place && !place->is_link && (place->mode & S_IWOTH) != 0) {
    throw Error(ErrorCode::unsafe, what + " " + quoted(path) + " can be written by every user",
                way_to_close(what, *place, ::geteuid(), "o-w"));
  }
}

}  // namespace

void refuse_unsafe_path(const std::string& what, const std::string& path) {
  if (::geteuid() == 0) {
    walk(what + " " + quoted(path), path);
  }
}

void refuse_unsafe_tree(const std::string& tree) {
  if (::geteuid() == 0) {
    refuse_unsafe_path("the migrations directory", tree);
  } else {
    refuse_if_everybody_writes("the migrations directory", tree);
  }
}

void refuse_unsafe_scripts(const std::string& tree, const std::vector<const Migration*>& pending) {
  if (::geteuid() != 0) {
    std::string_view version;
    for (const Migration* migration : pending) {
      if (migration->version() != version) {
        version = migration->version();
        refuse_if_everybody_writes("the version directory", tree + "/v" + std::string(version));
      }
      refuse_if_everybody_writes("the script", tree + "/" + migration->path());
    }
    return;
  }
  std::string_view last;
  for (const Migration* migration : pending) {
    if (migration->version() == last) {
      continue;
    }
    last = migration->version();
    const std::string directory = tree + "/v" + std::string(last);
    const std::string what = "the version directory " + quoted(directory);
    if (const auto place = facts_of(directory)) {
      checked(what, *place);
    }
    for (const std::string& path : everything_below(directory)) {
      const auto place = facts_of(path);
      if (place && checked(what, *place).is_link) {
        walk(what, path);
      }
    }
  }
}

}  // namespace telec
