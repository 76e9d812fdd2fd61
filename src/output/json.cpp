// SPDX-License-Identifier: MIT
#include "json.hpp"

#include <nlohmann/json.hpp>

#include "../json_text.hpp"
#include "build_config.hpp"

namespace telec {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

/// By way of text: rounding would need libm.
Json seconds_or_null(const std::optional<double>& seconds) { return Json::parse(json_seconds(seconds)); }

Json version_or_null(const std::optional<Version>& version) { return version ? Json(version->text()) : Json(nullptr); }

Json entry_value(const ReportEntry& entry) {
  Json value;
  value["id"] = entry.id;
  const auto migration = Migration::parse(entry.id);
  value["version"] = migration ? Json(migration->version()) : Json(nullptr);
  value["number"] = migration ? Json(migration->number()) : Json(nullptr);
  value["description"] = migration ? Json(migration->description()) : Json(nullptr);
  value["state"] = word_of(entry.state);
  value["seconds"] = seconds_or_null(entry.seconds);
  value["outcome"] = text_or_null(entry.outcome);
  value["at"] = text_or_null(entry.at);
  value["late"] = entry.late;
  value["gone"] = entry.gone;
  value["changed"] = entry.changed;
  value["out_of_order"] = entry.out_of_order;
  value["log"] = text_or_null(entry.log);
  return value;
}

Json error_value(const ReportError& error) {
  Json value;
  value["code"] = word_of(error.code);
  value["message"] = error.message;
  value["hint"] = text_or_null(error.hint);
  value["id"] = text_or_null(error.id);
  value["stage"] = text_or_null(error.stage);
  value["traceback"] = text_or_null(error.traceback);
  value["log"] = text_or_null(error.log);
  return value;
}

Json attempt_value(const AttemptRecord& attempt) {
  Json value;
  value["id"] = attempt.id;
  value["outcome"] = attempt.outcome;
  value["at"] = text_or_null(attempt.at);
  value["seconds"] = seconds_or_null(attempt.seconds);
  value["stage"] = text_or_null(attempt.stage);
  value["message"] = text_or_null(attempt.message);
  value["sha256"] = text_or_null(attempt.sha256);
  value["python"] = text_or_null(attempt.python);
  value["telec"] = text_or_null(attempt.telec);
  value["user"] = text_or_null(attempt.user);
  value["host"] = text_or_null(attempt.host);
  value["log"] = text_or_null(attempt.log);
  return value;
}

/// What only one command has, under the same keys on success and on failure.
void add_own_keys(const Report& report, Json& document) {
  if (report.command == "log") {
    document["attempts"] = Json::array();
    for (const AttemptRecord& attempt : report.attempts) {
      document["attempts"].push_back(attempt_value(attempt));
    }
    document["output"] = report.output ? Json(*report.output) : Json(nullptr);
  } else if (report.command == "verify" || report.command == "lint") {
    document["findings"] = Json::array();
    for (const Finding& finding : report.findings) {
      document["findings"].push_back({{"rule", finding.rule},
                                      {"path", finding.path},
                                      {"line", finding.line > 0 ? Json(finding.line) : Json(nullptr)},
                                      {"message", finding.message},
                                      {"hint", text_or_null(finding.hint)}});
    }
  } else if (report.command == "doctor") {
    document["checks"] = Json::array();
    for (const HealthCheck& check : report.health) {
      document["checks"].push_back(
          {{"name", check.name}, {"ok", check.ok}, {"message", check.message}, {"hint", text_or_null(check.hint)}});
    }
  } else if (report.command == "new") {
    document["path"] = text_or_null(report.path);
  } else if (report.command == "mark" || report.command == "forget") {
    document["reason"] = text_or_null(report.reason);
  } else if (report.command == "rebuild") {
    document["kept"] = text_or_null(report.kept);
  }
}

Json user_value(const UserReport& user) {
  Json value;
  value["user"] = user.name;
  value["uid"] = user.uid ? Json(*user.uid) : Json(nullptr);
  value["state"] = word_of(user.state);
  value["exit"] = user.exit ? Json(*user.exit) : Json(nullptr);
  value["reason"] = text_or_null(user.reason);
  // What was accepted as a document was checked: JSON, and not deep.
  value["document"] = user.document.empty() ? Json(nullptr) : Json::parse(user.document, nullptr, false);
  return value;
}

}  // namespace

std::string json_document(const Report& report) {
  Json document;
  document["schema"] = 1;
  document["tool"] = std::string("telec ") + telec_version;
  document["command"] = report.command;
  document["ok"] = !report.error.has_value();
  document["dry_run"] = report.dry_run;
  document["range"] = {{"from", version_or_null(report.range.from())}, {"to", version_or_null(report.range.to())}};
  document["migrations"] = Json::array();
  for (const ReportEntry& entry : report.entries) {
    document["migrations"].push_back(entry_value(entry));
  }
  document["problems"] = Json::array();
  for (const Problem& problem : report.problems) {
    document["problems"].push_back({{"kind", problem.kind}, {"path", problem.path}, {"message", problem.message}});
  }
  document["notes"] = report.notes;
  add_own_keys(report, document);
  if (report.users) {
    document["users"] = Json::array();
    for (const UserReport& user : *report.users) {
      document["users"].push_back(user_value(user));
    }
  }
  document["error"] = report.error ? error_value(*report.error) : Json(nullptr);
  // A path or a script's message may hold any bytes: what is not UTF-8 is replaced, and all beyond ASCII is written as
  // \uXXXX, so that a document shown on a terminal cannot steer it.
  return document.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace telec
