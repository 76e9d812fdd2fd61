// SPDX-License-Identifier: MIT
// The main of each doctest program: runs the test cases and ends with the line that sums them up,
// `SUITE: N passed, N failed[, N skipped]`. TEST_SUITE_NAME is the suite. Fails when a test case failed, and when
// nothing ran.
#define DOCTEST_CONFIG_IMPLEMENT
// The sanitizers have handlers of their own, and so have some of the tests.
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#include "doctest_main.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <iostream>
#include <string>

namespace {

struct Counts {
  unsigned passed = 0;
  unsigned failed = 0;
  unsigned skipped = 0;
};
Counts counts;
std::string name_under_way;
std::string reason_to_skip;

/// Listens to doctest and counts; the words are doctest's own reporter's.
class Tally : public doctest::IReporter {
 public:
  explicit Tally(const doctest::ContextOptions& /*options*/) {}

  void test_case_start(const doctest::TestCaseData& test) override {
    name_under_way = test.m_name;
    reason_to_skip.clear();
  }
  // Once more for every further SUBCASE: the reason stays.
  void test_case_reenter(const doctest::TestCaseData& /*test*/) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    if (stats.failure_flags != 0) {
      ++counts.failed;
    } else if (!reason_to_skip.empty()) {
      ++counts.skipped;
      std::cout << "skipped: " << name_under_way << ": " << reason_to_skip << '\n';
    } else {
      ++counts.passed;
    }
  }

  void report_query(const doctest::QueryData& /*query*/) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& /*stats*/) override {}
  void test_case_exception(const doctest::TestCaseException& /*exception*/) override {}
  void subcase_start(const doctest::SubcaseSignature& /*subcase*/) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData& /*assertion*/) override {}
  void log_message(const doctest::MessageData& /*message*/) override {}
  void test_case_skipped(const doctest::TestCaseData& /*test*/) override {}
};

REGISTER_LISTENER("tally", 1, Tally);

}  // namespace

void telec_test::skip(const std::string& reason) { reason_to_skip = reason; }

int main(int count, char** words) {
  // Whoever runs the tests may ignore these, as nohup and a shell's "&" do; what is tested would inherit that.
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
    static_cast<void>(std::signal(signal, SIG_DFL));
  }
  doctest::Context context(count, words);
  context.setOption("no-version", true);
  const int result = context.run();
  if (context.shouldExit()) {
    return result;  // only a list or the help was asked for
  }
  std::cout << TEST_SUITE_NAME << ": " << counts.passed << " passed, " << counts.failed << " failed";
  if (counts.skipped > 0) {
    std::cout << ", " << counts.skipped << " skipped";
  }
  std::cout << std::endl;
  if (counts.passed + counts.failed == 0) {
    return 1;
  }
  return result != 0 || counts.failed > 0 ? 1 : 0;
}
