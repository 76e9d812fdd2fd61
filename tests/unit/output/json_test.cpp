// SPDX-License-Identifier: MIT
#include "output/json.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "build_config.hpp"

using namespace telec;
using Json = nlohmann::ordered_json;

namespace {

using Texts = std::vector<std::string>;

/// The text without what a terminal could take for more than letters.
std::string printable_but_for_newlines(const std::string& text) {
  std::string out;
  std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
  return out;
}

Json document(const Report& report) {
  const std::string text = json_document(report);
  CHECK(text.ends_with("}\n"));
  CHECK(text == printable_but_for_newlines(text));
  return Json::parse(text);
}

Texts keys_of(const Json& object) {
  Texts keys;
  for (const auto& member : object.items()) {
    keys.push_back(member.key());
  }
  return keys;
}

Report full_report() {
  Report report;
  ReportEntry entry;
  entry.id = "1.2.0-rc.1/003_rename_keys.py";
  entry.state = State::failed;
  entry.seconds = 0.02149;
  entry.late = true;
  entry.log = "/logs/x.log";
  report.entries.push_back(entry);
  report.problems.push_back({"misnamed_file", "v1.1.0/2_x.py", "expected"});
  report.notes = {"a note"};
  ReportError error;
  error.code = ErrorCode::migration_failed;
  error.message = "boom";
  error.hint = "mend it";
  error.id = entry.id;
  error.stage = "migrate";
  error.traceback = "T\nU";
  error.output_tail = "for people only";
  error.log = "/logs/x.log";
  report.error = error;
  return report;
}

}  // namespace

TEST_CASE("the document of an empty success has every key") {
  const Json value = document({});
  CHECK(keys_of(value) ==
        Texts{"schema", "tool", "command", "ok", "dry_run", "range", "migrations", "problems", "notes", "error"});
  CHECK(value["schema"] == 1);
  CHECK(value["tool"] == std::string("telec ") + telec_version);
  CHECK(value["command"] == "migrate");
  CHECK(value["ok"] == true);
  CHECK(value["dry_run"] == false);
  CHECK(keys_of(value["range"]) == Texts{"from", "to"});
  CHECK(value["range"]["from"].is_null());
  CHECK(value["migrations"].is_array());
  CHECK(value["problems"].is_array());
  CHECK(value["notes"].is_array());
  CHECK(value["error"].is_null());
}

TEST_CASE("keys are the same, in the same order, on success and on failure") {
  Report good;
  good.entries.push_back({});
  good.entries[0].id = "1.0.0/001_a.py";
  Report untouched = full_report();
  untouched.error = report_error(Error(ErrorCode::state_untrusted, "m"));
  CHECK(keys_of(document(good)) == keys_of(document(full_report())));
  CHECK(keys_of(document(good)["migrations"][0]) == keys_of(document(full_report())["migrations"][0]));
  CHECK(keys_of(document(untouched)["error"]) == keys_of(document(full_report())["error"]));
  CHECK(keys_of(document(full_report())["error"]) ==
        Texts{"code", "message", "hint", "id", "stage", "traceback", "log"});
}

TEST_CASE("the documented keys of a migration are there with their values") {
  const Json entry = document(full_report())["migrations"][0];
  CHECK(entry["id"] == "1.2.0-rc.1/003_rename_keys.py");
  CHECK(entry["version"] == "1.2.0-rc.1");
  CHECK(entry["number"] == 3);
  CHECK(entry["description"] == "rename_keys");
  CHECK(entry["state"] == "failed");
  CHECK(entry["seconds"] == 0.021);
  CHECK(entry["late"] == true);
  CHECK(entry["gone"] == false);
  CHECK(entry["log"] == "/logs/x.log");
  CHECK(entry["outcome"].is_null());
  CHECK(entry["at"].is_null());
}

TEST_CASE("an error is whole, and what is for people only is not in it") {
  const std::string text = json_document(full_report());
  const Json value = Json::parse(text);
  CHECK(value["ok"] == false);
  CHECK(value["error"]["code"] == "migration_failed");
  CHECK(value["error"]["message"] == "boom");
  CHECK(value["error"]["hint"] == "mend it");
  CHECK(value["error"]["id"] == "1.2.0-rc.1/003_rename_keys.py");
  CHECK(value["error"]["stage"] == "migrate");
  CHECK(value["error"]["traceback"] == "T\nU");
  CHECK(value["error"]["log"] == "/logs/x.log");
  CHECK(text.find("for people only") == std::string::npos);
}

TEST_CASE("what an error does not have is null, never missing and never an empty text") {
  Report report;
  report.error = report_error(Error(ErrorCode::io, "m"));
  const Json error = document(report)["error"];
  for (const char* key : {"hint", "id", "stage", "traceback", "log"}) {
    CAPTURE(key);
    CHECK(error.at(key).is_null());
  }
}

TEST_CASE("range, problems and notes are in the document") {
  Report report = full_report();
  report.command = "status";
  report.dry_run = true;
  report.range = *Range::between(*Version::parse("1.0.0"), *Version::parse("2.0.0-rc.1"));
  const Json value = document(report);
  CHECK(value["command"] == "status");
  CHECK(value["dry_run"] == true);
  CHECK(value["range"]["from"] == "1.0.0");
  CHECK(value["range"]["to"] == "2.0.0-rc.1");
  CHECK(keys_of(value["problems"][0]) == Texts{"kind", "path", "message"});
  CHECK(value["problems"][0]["path"] == "v1.1.0/2_x.py");
  CHECK(value["notes"][0] == "a note");
}

TEST_CASE("bytes that are not UTF-8 are replaced wherever they come from") {
  Report report = full_report();
  report.problems[0].path = "v1.1.0/\xff_x.py";
  report.notes[0] = "\xc3";
  report.error->message = "a\xed\xa0\x80z";
  report.error->log = "/\xfe/x.log";
  report.entries[0].log = "/\xfe/x.log";
  const Json value = document(report);
  CHECK(value["problems"][0]["path"] == "v1.1.0/\xef\xbf\xbd_x.py");
  CHECK(value["error"]["message"].get<std::string>().find("\xef\xbf\xbd") != std::string::npos);
}

TEST_CASE("a document that is shown on a terminal cannot steer it, and loses nothing") {
  Report report = full_report();
  report.error->message = "\x1b[2J \xc2\x9b \xe2\x80\xae \x7f caf\xc3\xa9 \xf0\x9f\x98\x80";
  CHECK(document(report)["error"]["message"] == report.error->message);
}

TEST_CASE("every state has its word in the document") {
  for (const State state : {State::pending, State::recorded, State::applied, State::already_present, State::failed,
                            State::interrupted, State::unrecorded, State::not_reached}) {
    Report report;
    ReportEntry entry;
    entry.id = "1.0.0/001_a.py";
    entry.state = state;
    report.entries.push_back(entry);
    CHECK(document(report)["migrations"][0]["state"] == word_of(state));
    CHECK(document(report)["migrations"][0]["seconds"].is_null());
  }
}
