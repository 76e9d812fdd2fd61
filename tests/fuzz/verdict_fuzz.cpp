// SPDX-License-Identifier: MIT
// Any bytes on the verdict's descriptor, under each way in which python can end: never an answer of check() or
// migrate() without the nonce and a clean exit, and never a failure without words.
#include <cstdlib>
#include <string_view>

#include "judgement.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

bool is_answer(telec::Outcome outcome) {
  using telec::Outcome;
  return outcome == Outcome::applied || outcome == Outcome::already_present || outcome == Outcome::not_present;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace telec;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Ending endings[] = {Exited{0},   Exited{3},       Killed{11, true},   TimedOut{1},
                            Stopped{15}, NotStarted{"x"}, StatusUnknown{"x"}, Killed{77, false}};
  const Ending& ending = endings[size == 0 ? 0 : data[0] % std::size(endings)];
  ChildResult child;
  child.nonce = "0123456789abcdef0123456789abcdef";
  child.said = bytes.substr(size == 0 ? 0 : 1);
  child.ending = ending;
  child.said_too_much = size > 1 && data[size - 1] == 0xff;
  const Judgement judgement = judge(child);
  const bool good = is_answer(judgement.outcome);
  if (good && (child.said.find(child.nonce) == std::string::npos || !std::holds_alternative<Exited>(ending) ||
               std::get<Exited>(ending).code != 0 || child.said_too_much)) {
    std::abort();
  }
  if (!good && judgement.message.empty()) {
    std::abort();
  }
  static_cast<void>(stage_reached(child.said, child.nonce));
  // Without the nonce of this run nothing is ever good.
  child.nonce = "another nonce that nobody has said";
  if (is_answer(judge(child).outcome)) {
    std::abort();
  }
  return 0;
}
