// SPDX-License-Identifier: MIT
#include "history.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

using telec::History;
using telec::Record;

namespace {

using Texts = std::vector<std::string>;

Texts ids_of(const History& history) { return {history.applied().begin(), history.applied().end()}; }

std::string reason(const std::string& text) {
  const auto history = History::parse(text);
  return history ? "accepted" : history.reason();
}

std::string checksum_of(const Texts& ids) {
  std::uint32_t crc = 0;
  for (const std::string& id : ids) {
    crc = telec::crc32(id + "\n", crc);
  }
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "crc32:%08x", static_cast<unsigned>(crc));
  return buffer.data();
}

Record record(const std::string& id, const std::string& outcome = "applied") {
  Record result;
  result.id = id;
  result.outcome = outcome;
  result.at = "2026-11-22T07:30:00Z";
  result.seconds = 0.021;
  result.sha256 = std::string(64, 'a');
  result.python = "3.11.2";
  result.telec = "0.1.0";
  result.user = "ada";
  result.host = "box";
  return result;
}

Texts twenty_ids() {
  Texts ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back("1." + std::to_string(i / 4) + ".0/" + std::to_string(100 + i) + "_a.py");
  }
  return ids;
}

/// The text of a file with twenty ids and no history entries: what the damage tests bite into.
std::string short_text() {
  std::string list;
  for (const std::string& id : twenty_ids()) {
    list += (list.empty() ? "\"" : ", \"") + id + "\"";
  }
  return History::parse("{\"applied\": [" + list + "]}")->text();
}

/// Refused, or the same set of ids.
bool is_harmless(const std::string& damaged, const Texts& ids) {
  const auto history = History::parse(damaged);
  if (!history) {
    return true;
  }
  return history->applied().size() == ids.size() && std::ranges::equal(history->applied(), ids);
}

/// Puts every one of `values` in the place of every byte of `text`; says how many texts were looked at.
template <class Values>
std::size_t flip_every_byte(const std::string& text, const Texts& ids, Values values) {
  std::size_t looked_at = 0;
  std::string damaged = text;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const unsigned change : values) {
      damaged[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ change);
      ++looked_at;
      if (!is_harmless(damaged, ids)) {
        FAIL_CHECK("byte ", at, " changed by ", change, " is read as another history");
      }
    }
    damaged[at] = text[at];
  }
  return looked_at;
}

}  // namespace

TEST_CASE("absent history is empty history") {
  const History history;
  CHECK(history.applied().empty());
  CHECK_FALSE(history.contains("1.1.0/001_a.py"));
  CHECK_FALSE(history.details("1.1.0/001_a.py").has_value());
}

TEST_CASE("a file of the older runner is read, and its ids have no details") {
  const auto history = History::parse(R"({"applied": ["1.1.0/001_a.py", "1.0.0/002_b.py"]})");
  REQUIRE(history.ok());
  CHECK(ids_of(*history) == Texts{"1.1.0/001_a.py", "1.0.0/002_b.py"});
  CHECK(history->contains("1.0.0/002_b.py"));
  CHECK_FALSE(history->contains("1.0.0/002_c.py"));
  CHECK_FALSE(history->details("1.1.0/001_a.py").has_value());
}

TEST_CASE("an id that stands twice in the older runner's list is one id") {
  const auto history = History::parse(R"({"applied": ["1.1.0/001_a.py", "1.0.0/002_b.py", "1.1.0/001_a.py"]})");
  REQUIRE(history.ok());
  CHECK(ids_of(*history) == Texts{"1.1.0/001_a.py", "1.0.0/002_b.py"});
  CHECK(ids_of(*History::parse(history->text())) == ids_of(*history));
}

TEST_CASE("an id written with escapes is the id that it means") {
  const auto history =
      History::parse(R"({"applied": ["1.1.0\/001_\u0061.py"], "history": [{"id": "1.1.0\/001_a.py"}]})");
  REQUIRE(history.ok());
  CHECK(history->contains("1.1.0/001_a.py"));
  CHECK(history->details("1.1.0/001_a.py").has_value());
}

TEST_CASE("a value goes to text and back unchanged") {
  History history;
  history.add(record("1.1.0/001_a.py"));
  history.add(record("1.1.0/002_b.py", "already_present"));
  const std::string text = history.text();
  const auto again = History::parse(text);
  REQUIRE(again.ok());
  CHECK(ids_of(*again) == Texts{"1.1.0/001_a.py", "1.1.0/002_b.py"});
  CHECK(again->text() == text);
  const auto details = again->details("1.1.0/002_b.py");
  REQUIRE(details.has_value());
  CHECK(details->id == "1.1.0/002_b.py");
  CHECK(details->outcome == "already_present");
  CHECK(details->at == "2026-11-22T07:30:00Z");
  CHECK(details->seconds == 0.021);
  CHECK(details->sha256 == std::string(64, 'a'));
  CHECK(details->python == "3.11.2");
  CHECK(details->telec == "0.1.0");
  CHECK(details->user == "ada");
  CHECK(details->host == "box");
}

TEST_CASE("the text is the documented file") {
  History history;
  history.add(record("1.1.0/001_a.py"));
  CHECK(history.text() ==
        "{\n  \"schema\": 1,\n  \"applied\": [\n    \"1.1.0/001_a.py\"\n  ],\n  \"checksum\": \"" +
            checksum_of({"1.1.0/001_a.py"}) +
            "\",\n  \"history\": [\n    {\"id\": \"1.1.0/001_a.py\", \"outcome\": \"applied\", \"at\": "
            "\"2026-11-22T07:30:00Z\", \"seconds\": 0.021, \"sha256\": \"" +
            std::string(64, 'a') +
            "\", \"python\": \"3.11.2\", \"telec\": \"0.1.0\", \"user\": \"ada\", \"host\": "
            "\"box\"}\n  ]\n}\n");
  CHECK(History().text() ==
        "{\n  \"schema\": 1,\n  \"applied\": [],\n  \"checksum\": \"crc32:00000000\",\n  \"history\": []\n}\n");
}

TEST_CASE("names with odd bytes are written as valid JSON") {
  Record odd = record("1.1.0/001_a.py");
  odd.user = "a\"b\\c\n\x1b\x7f";
  odd.host = "\xff\xc3\xa9";
  History history;
  history.add(odd);
  const auto again = History::parse(history.text());
  REQUIRE(again.ok());
  CHECK(again->details(odd.id)->user == odd.user);
  CHECK(again->details(odd.id)->host == "\xef\xbf\xbd\xc3\xa9");
}

TEST_CASE("what was not recorded is null in the file and empty in the details") {
  Record bare;
  bare.id = "1.1.0/001_a.py";
  bare.outcome = "marked";
  History history;
  history.add(bare);
  CHECK(history.text().find("\"sha256\": null") != std::string::npos);
  const auto details = History::parse(history.text())->details(bare.id);
  REQUIRE(details.has_value());
  CHECK(details->outcome == "marked");
  CHECK(details->sha256.empty());
  CHECK(details->user.empty());
}

TEST_CASE("adding a recorded id adds an entry and no second id") {
  History history;
  history.add(record("1.1.0/001_a.py"));
  history.add(record("1.1.0/001_a.py", "already_present"));
  CHECK(ids_of(history) == Texts{"1.1.0/001_a.py"});
  CHECK(history.details("1.1.0/001_a.py")->outcome == "already_present");
  const auto again = History::parse(history.text());
  CHECK(again->details("1.1.0/001_a.py")->outcome == "already_present");
  const std::string text = again->text();
  CHECK(text.find("\"outcome\": \"applied\"") != std::string::npos);
}

TEST_CASE("the newest entry wins, also when entries are added after the first question") {
  auto history = History::parse(R"({"applied": ["1.1.0/001_a.py"], "history": [
      {"id": "1.1.0/001_a.py", "outcome": "applied", "seconds": 1},
      {"id": "1.1.0/001_a.py", "outcome": "marked", "seconds": 2}]})");
  REQUIRE(history.ok());
  CHECK(history->details("1.1.0/001_a.py")->outcome == "marked");
  CHECK(history->details("1.1.0/001_a.py")->seconds == 2);
  Record newer = record("1.1.0/001_a.py", "already_present");
  history->add(newer);
  CHECK(history->details("1.1.0/001_a.py")->outcome == "already_present");
}

TEST_CASE("a history that was moved still knows everything") {
  History history;
  for (int i = 100; i < 400; ++i) {
    history.add(record("1.1.0/" + std::to_string(i) + "_a.py"));
  }
  const std::string text = history.text();
  History moved = std::move(history);
  CHECK(moved.text() == text);
  CHECK(moved.contains("1.1.0/250_a.py"));
  CHECK(moved.details("1.1.0/399_a.py").has_value());
  CHECK(moved.applied().size() == 300);
}

TEST_CASE("unknown keys survive byte for byte, at the top and in an entry") {
  const std::string entry =
      R"({"note" :  [1.50e+3, {"\u0061": null}], "id": "1.1.0/001_a.py","outcome":"applied","by": {"x":-0}})";
  const std::string text =
      "{\"zeta\" : { \"b\":1,\n \"a\" : [ 1 , 2.500 ] }, \"applied\": [\"1.1.0/001_a.py\"], \"history\": [" + entry +
      "], \"alpha\": 12345678901234567890123, \"caf\\u00e9\": \"\\u00e9\\/\"}";
  auto history = History::parse(text);
  REQUIRE(history.ok());
  history->add(record("1.1.0/002_b.py"));
  const std::string written = history->text();
  CHECK(written.find(entry) != std::string::npos);
  CHECK(written.find("\"zeta\": { \"b\":1,\n \"a\" : [ 1 , 2.500 ] }") != std::string::npos);
  CHECK(written.find("\"alpha\": 12345678901234567890123") != std::string::npos);
  CHECK(written.find("\"caf\xc3\xa9\": \"\\u00e9\\/\"") != std::string::npos);
  CHECK(written.find("zeta") < written.find("alpha"));
  const auto again = History::parse(written);
  REQUIRE(again.ok());
  CHECK(again->text() == written);
}

TEST_CASE("the checksum is CRC-32 as everybody knows it, and can be continued") {
  CHECK(telec::crc32("") == 0);
  CHECK(telec::crc32("123456789") == 0xcbf43926);
  CHECK(telec::crc32("6789", telec::crc32("12345")) == 0xcbf43926);
  CHECK(telec::crc32(std::string(32, '\0')) == 0x190a55ad);
  CHECK(telec::crc32(std::string(32, '\xff')) == 0xff6cab0b);
}

TEST_CASE("a checksum is written and accepted when right, absent when unknown, refused when wrong") {
  const Texts ids = {"1.1.0/001_a.py", "1.1.0/002_b.py"};
  const std::string list = R"("applied": ["1.1.0/001_a.py", "1.1.0/002_b.py"])";
  CHECK(reason("{" + list + "}") == "accepted");
  CHECK(reason("{" + list + ", \"checksum\": \"" + checksum_of(ids) + "\"}") == "accepted");
  CHECK(reason("{\"checksum\": \"" + checksum_of(ids) + "\", " + list + "}") == "accepted");
  const std::string reversed = checksum_of({ids[1], ids[0]});
  for (const std::string& wrong :
       {std::string("crc32:00000000"), reversed, checksum_of(ids) + " ", std::string("x"), checksum_of(ids).substr(6),
        std::string("CRC32:") + checksum_of(ids).substr(6), std::string()}) {
    CAPTURE(wrong);
    CHECK(reason("{" + list + ", \"checksum\": \"" + wrong + "\"}").starts_with("the checksum does not match"));
  }
}

TEST_CASE("the checksum is over the ids as they stand, duplicates too, and is right again after a rewrite") {
  const Texts ids = {"1.1.0/001_a.py", "1.1.0/001_a.py"};
  const auto history =
      History::parse(R"({"applied": ["1.1.0/001_a.py", "1.1.0/001_a.py"], "checksum": ")" + checksum_of(ids) + "\"}");
  REQUIRE(history.ok());
  CHECK(reason(history->text()) == "accepted");
}

TEST_CASE("a newer schema is refused, and so is one that never was") {
  CHECK(reason(R"({"schema": 1, "applied": []})") == "accepted");
  CHECK(reason(R"({"schema": 2, "applied": []})").ends_with("schema 2 is newer than this telec understands (1)"));
  CHECK(History::parse(R"({"schema": 2, "applied": []})").refusal().is_newer);
  CHECK_FALSE(History::parse(R"({"schema": 1, "applied": 3})").refusal().is_newer);
  CHECK(reason(R"({"schema": 9223372036854775807, "applied": []})").find("is newer") != std::string::npos);
  CHECK(reason(R"({"schema": 0, "applied": []})").ends_with("there is no schema 0"));
  CHECK(reason(R"({"schema": -1, "applied": []})").ends_with("there is no schema -1"));
  // What it changed may come before its number, and the rest may be no JSON.
  CHECK(reason(R"({"applied": {"x": 1}, "schema": 2})") == "schema 2 is newer than this telec understands (1)");
  CHECK(reason(R"({"schema": 2, "applied": {"x": )") == "schema 2 is newer than this telec understands (1)");
  CHECK(reason(R"({"applied": {"x": 1}, "schema": 1})").find("expected a list") != std::string::npos);
}

TEST_CASE("a value of a wrong type is refused wherever it stands") {
  for (const std::string text : {"[]",
                                 "null",
                                 "1",
                                 "\"x\"",
                                 "true",
                                 "{}",
                                 R"({"applied": null})",
                                 R"({"applied": {}})",
                                 R"({"applied": "x"})",
                                 R"({"applied": [1]})",
                                 R"({"applied": [null]})",
                                 R"({"applied": [["1.1.0/001_a.py"]]})",
                                 R"({"applied": [{}]})",
                                 R"({"schema": "1", "applied": []})",
                                 R"({"schema": 1.0, "applied": []})",
                                 R"({"schema": null, "applied": []})",
                                 R"({"schema": 1e0, "applied": []})",
                                 R"({"schema": 99999999999999999999, "applied": []})",
                                 R"({"applied": [], "checksum": 1})",
                                 R"({"applied": [], "checksum": null})",
                                 R"({"applied": [], "history": {}})",
                                 R"({"applied": [], "history": null})",
                                 R"({"applied": [], "history": [1]})",
                                 R"({"applied": [], "history": [[]]})",
                                 R"({"applied": [], "history": [{}]})",
                                 R"({"applied": [], "history": [{"id": null}]})",
                                 R"({"applied": [], "history": [{"id": 1}]})",
                                 R"({"applied": [], "history": [{"id": "x"}]})",
                                 R"({"applied": [], "history": [{"id": ""}]})",
                                 R"({"applied": [], "history": [{"outcome": "applied"}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "outcome": "done"}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "outcome": null}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "outcome": 1}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "seconds": "1"}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "seconds": 1e999}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "at": 1}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "sha256": []}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "python": 3.11}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "telec": true}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "user": {}}]})",
                                 R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "host": 1}]})"}) {
    CAPTURE(text);
    CHECK(reason(text) != "accepted");
  }
}

TEST_CASE("null is accepted where a detail may be unknown") {
  CHECK(reason(R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "at": null, "seconds": null, "sha256": null,
                   "python": null, "telec": null, "user": null, "host": null}]})") == "accepted");
}

TEST_CASE("an id that is none is refused, with its place") {
  for (const std::string id :
       {"", "x", "v1.1.0/001_a.py", "1.1.0/1_a.py", "1.1.0/001_a", "../001_a.py", "1.1.0/../001_a.py",
        "1.1.0+x/001_a.py", "01.1.0/001_a.py", "1.1.0/001_a.py ", " 1.1.0/001_a.py"}) {
    CAPTURE(id);
    CHECK(reason("{\"applied\": [\"" + id + "\"]}").find("line 1, column 14: ") == 0);
    CHECK(reason("{\"applied\": [\"" + id + "\"]}").find("is not a migration's id") != std::string::npos);
  }
}

TEST_CASE("malformed text is refused with its place") {
  CHECK(reason("") == "the file is empty");
  CHECK(reason("\n").starts_with("line 2, column 1: "));
  CHECK(reason("{\n \"applied\": [\n]").starts_with("line 3, column 2: in 'applied': expected ',' or '}'"));
  CHECK(reason(R"({"applied": []} x)").ends_with("text after the end of the document"));
  CHECK(reason(R"({"applied": [], "applied": []})").ends_with("the key 'applied' stands twice"));
  CHECK(reason(R"({"applied": [], "appl\u0069ed": []})").ends_with("the key 'applied' stands twice"));
  CHECK(reason(R"({"applied": [], "history": [{"id": "1.1.0/001_a.py", "id": "1.1.0/001_a.py"}]})")
            .find("stands twice") != std::string::npos);
  CHECK(reason("{\"applied\": [], \"x\": \"\xff\"}").find("not UTF-8") != std::string::npos);
  CHECK(reason("\xef\xbb\xbf{\"applied\": []}").find("byte order mark") != std::string::npos);
  CHECK(reason(std::string(4096, '\0')) != "accepted");
  CHECK(reason(R"({"schema": 1})") == "the key 'applied' is missing");
}

TEST_CASE("too deep and too large are refused") {
  const auto nested = [](unsigned depth) {
    return "{\"applied\": [], \"x\": " + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(reason(nested(History::depth_limit - 1)) == "accepted");
  CHECK(reason(nested(History::depth_limit)).find("nested deeper than 16 levels") != std::string::npos);
  std::string large = R"({"applied": []})";
  large.append(History::size_limit - large.size(), ' ');
  CHECK(reason(large) == "accepted");
  CHECK(reason(large + " ") == "larger than 67108864 bytes");
}

TEST_CASE("so many keys that telec's own would be too many are refused before they are written") {
  const auto with_keys = [](int others) {
    std::string text = R"({"applied": [])";
    for (int i = 0; i < others; ++i) {
      text += ", \"k" + std::to_string(i) + "\": 0";
    }
    return text + "}";
  };
  const auto most = History::parse(with_keys(4092));
  REQUIRE(most.ok());
  CHECK(reason(most->text()) == "accepted");
  CHECK(reason(with_keys(4093)) == "more keys than this telec could write back with its own");
}

TEST_CASE("every truncation is refused, or gives the same ids") {
  const Texts ids = twenty_ids();
  const std::string text = short_text();
  REQUIRE(ids_of(*History::parse(text)) == ids);
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK(is_harmless(text.substr(0, length), ids));
    accepted += History::parse(text.substr(0, length)).ok() ? 1 : 0;
  }
  CHECK(accepted == 1);  // only the newline at the end is missing
}

TEST_CASE("every byte changed to every other value is refused, or gives the same ids") {
  std::array<unsigned, 255> changes{};
  for (unsigned i = 0; i < changes.size(); ++i) {
    changes.at(i) = i + 1;
  }
  const std::string text = short_text();
  CHECK(flip_every_byte(text, twenty_ids(), changes) == text.size() * 255);
}

TEST_CASE("every changed bit of a file with details is refused, or gives the same ids") {
  History history;
  for (const std::string& id : twenty_ids()) {
    history.add(record(id));
  }
  const std::string text = history.text();
  // One bit per byte here: all values of all bytes of the ids are in the test above.
  const Texts ids = twenty_ids();
  std::string damaged = text;
  for (std::size_t at = 0; at < text.size(); ++at) {
    damaged[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << (at % 8)));
    CAPTURE(at);
    CHECK(is_harmless(damaged, ids));
    damaged[at] = text[at];
  }
}

TEST_CASE("every byte taken out or doubled is refused, or gives the same ids") {
  const Texts ids = twenty_ids();
  const std::string text = short_text();
  for (std::size_t at = 0; at < text.size(); ++at) {
    CAPTURE(at);
    CHECK(is_harmless(std::string(text).erase(at, 1), ids));
    CHECK(is_harmless(std::string(text).insert(at, 1, text[at]), ids));
  }
}
