// SPDX-License-Identifier: MIT
#include "verify.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sha256.hpp"

using namespace telec;

TEST_CASE("other line ends and a BOM leave a script the same, anything else does not") {
  const std::string unix_text = "a\nb\n";
  const std::string windows_text = "a\r\nb\r\n";
  const std::string old_mac_text = "a\rb\r";
  const std::string with_bom = "\xef\xbb\xbf" + unix_text;
  for (const std::string& recorded : {unix_text, windows_text, with_bom, "\xef\xbb\xbf" + windows_text}) {
    for (const std::string& now : {unix_text, windows_text, old_mac_text, with_bom}) {
      CHECK(is_same_script(now, sha256(recorded)));
    }
    CHECK_FALSE(is_same_script("a\nb", sha256(recorded)));
    CHECK_FALSE(is_same_script("a\nb\n\n", sha256(recorded)));
    CHECK_FALSE(is_same_script("", sha256(recorded)));
  }
}

TEST_CASE("recorded against true has four answers, and no answer") {
  CHECK(state_of_recheck(true, Outcome::already_present) == State::ok);
  CHECK(state_of_recheck(true, Outcome::not_present) == State::regressed);
  CHECK(state_of_recheck(false, Outcome::already_present) == State::unrecorded);
  CHECK(state_of_recheck(false, Outcome::not_present) == State::pending);
  for (const bool recorded : {true, false}) {
    for (const Outcome no_answer : {Outcome::failed, Outcome::no_python, Outcome::applied}) {
      CHECK(state_of_recheck(recorded, no_answer) == State::failed);
    }
    CHECK(state_of_recheck(recorded, Outcome::interrupted) == State::interrupted);
  }
}

TEST_CASE("out of order is what was recorded after one that comes later") {
  using Ids = std::vector<std::string>;
  CHECK(recorded_out_of_order({}).empty());
  CHECK(recorded_out_of_order({"1.2.0/001_a.py", "1.10.0/001_b.py"}).empty());
  CHECK(recorded_out_of_order({"1.2.0/001_a.py", "1.1.0/001_b.py", "1.1.0/002_c.py", "1.3.0/001_d.py"}) ==
        Ids{"1.1.0/001_b.py", "1.1.0/002_c.py"});
}
