// SPDX-License-Identifier: MIT
#include "start_facts.hpp"

#include <doctest/doctest.h>

using namespace telec;

TEST_CASE("a python that has said nothing has said nothing") {
  const StartFacts facts = read_start_facts("", "n");
  CHECK_FALSE(facts.hello);
  CHECK_FALSE(facts.ready);
  CHECK(facts.here == 0);
  CHECK(facts.paths.empty());
}

TEST_CASE("hello tells what shaped the start, ready what was imported, here that it lives") {
  const StartFacts facts = read_start_facts(
      "{\"nonce\": \"n\", \"event\": \"hello\", \"python\": \"3.11.2\", \"supported\": true, \"paths\": [\"/a\", \"/b "
      "c\"]}\n"
      "{\"nonce\": \"n\", \"event\": \"ready\", \"files\": [\"/json.py\"]}\n"
      "{\"nonce\": \"n\", \"event\": \"here\"}\n{\"nonce\": \"n\", \"event\": \"here\"}\n",
      "n");
  CHECK(facts.hello);
  CHECK(facts.ready);
  CHECK(facts.here == 2);
  CHECK(facts.paths == std::vector<std::string>{"/a", "/b c"});
  CHECK(facts.files == std::vector<std::string>{"/json.py"});
}

TEST_CASE("a hello without paths gives none, so nothing is started ahead") {
  CHECK(read_start_facts("{\"nonce\": \"n\", \"event\": \"hello\"}\n", "n").paths.empty());
}

TEST_CASE("lines with another nonce, unfinished lines and scribbles say nothing") {
  for (const char* said :
       {"{\"nonce\": \"m\", \"event\": \"ready\"}\n", "{\"nonce\": \"n\", \"event\": \"ready\"}", "ready\n",
        "{\"event\": \"ready\"}\n", "{\"nonce\": \"n\", \"event\": \"ready\", \"files\": {}}\n",
        "{\"nonce\": \"n\", \"event\": \"ready\"} x\n", "\n\n"}) {
    CAPTURE(said);
    CHECK_FALSE(read_start_facts(said, "n").ready);
  }
  CHECK_FALSE(read_start_facts("{\"nonce\": \"\", \"event\": \"ready\"}\n", "").ready);
  CHECK(read_start_facts("scribble\n{\"nonce\": \"n\", \"event\": \"ready\"}\n", "n").ready);
}
