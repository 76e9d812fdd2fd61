// SPDX-License-Identifier: MIT
#include <algorithm>
#include <exception>
#include <optional>

#include "../output/users.hpp"
#include "../system/accounts.hpp"
#include "../system/python.hpp"
#include "../system/surroundings.hpp"
#include "../system/tree.hpp"
#include "../system/trusted_place.hpp"
#include "../text.hpp"
#include "commands.hpp"

namespace telec {
namespace {

/// What is settled once, for all: the environment of whoever called reaches nobody's run. It is handed on as
/// environment, so that a hint repeats what was typed and no more.
struct Settled {
  std::string tree;
  std::optional<std::string> python;  ///< one that was named; a name without a slash is looked up on each user's PATH
};

/// The ordinary run, in the process that has become the user; what it comes to goes to stdout as a document.
int migrate_here(Invocation invocation, const Settled& settled) {
  set_environment("TELEC_MIGRATIONS_DIR", settled.tree);
  if (settled.python) {
    set_environment("TELEC_PYTHON", *settled.python);
  }
  invocation.json = true;
  invocation.hook = Hook::none;
  invocation.color = Color::never;
  Voice voice(invocation);
  Report report;
  report.range = invocation.range;
  try {
    return migrate(invocation, voice, report);
  } catch (const Error& error) {
    report.error = report_error(error);
  } catch (const std::exception& error) {
    report.error = report_error(Error(ErrorCode::io, std::string("unexpected: ") + error.what()));
  }
  return voice.finish(report, report.exit_code());
}

/// Whom it is about: everybody with a person's uid, or who was named, each once. Outside of a hook a name that nobody
/// has is a slip of whoever typed it; a hook goes on without that user, so that the package does not fail.
std::vector<Account> chosen_accounts(const Invocation& invocation, std::vector<UserReport>& reports) {
  if (invocation.all_users) {
    return people_among(all_accounts(), uid_limits());
  }
  std::vector<Account> accounts;
  for (const std::string& name : invocation.users) {
    std::optional<Account> account;
    try {
      account = account_named(name);
    } catch (const Error& error) {
      if (invocation.hook == Hook::none) {
        throw;
      }
      reports.push_back(unknown_user(name, error.message));
      continue;
    }
    if (!account && invocation.hook == Hook::none) {
      throw Error(ErrorCode::usage, "--user " + quoted(name) + ": there is no such user",
                  "nobody was migrated; look the name up with: getent passwd " + shell_quoted(name));
    }
    if (!account) {
      reports.push_back(unknown_user(name));
    } else if (account->uid == 0) {
      throw Error(ErrorCode::usage, "--user " + quoted(name) + ": its uid is 0, and nothing is run as root here",
                  "for root's own home, leave --user out");
    } else if (std::ranges::none_of(accounts, [&](const Account& one) {
                 return one.uid == account->uid && one.home == account->home;
               })) {
      accounts.push_back(*account);
    }
  }
  return accounts;
}

std::optional<ReportError> error_for(const std::vector<UserReport>& users, const UsersAsked& asked, bool dry_run,
                                     int signal) {
  const std::string failed = names_in(UserState::failed, users);
  const std::string deferred = names_in(UserState::deferred, users);
  if (signal != 0 && !deferred.empty()) {
    Error error(ErrorCode::interrupted, "stopped by a signal; not done for: " + deferred,
                "run 'telec migrate' again to go on from there");
    error.signal = signal;
    return report_error(error);
  }
  if (!failed.empty()) {
    return report_error(
        Error(failure_of(users, asked), "failed for: " + failed,
              std::string("do what is said above of each; ") +
                  (dry_run ? "nothing was run" : "then run 'telec migrate' again: who is done is not run twice")));
  }
  if (!deferred.empty()) {
    return report_error(Error(ErrorCode::deferred, "not done yet for: " + deferred,
                              "run 'telec migrate' again later, or let their next start do it"));
  }
  return std::nullopt;
}

void show(const UserReport& user, const Invocation& invocation, Voice& voice) {
  const std::string line = user_line(user, invocation.dry_run, voice.result_style());
  switch (user.state) {
    case UserState::failed:
    case UserState::deferred:
      if (!voice.in_hook()) {
        voice.insist(line);
      }
      break;
    case UserState::skipped:
      if (invocation.all_users && !invocation.verbose) {
        break;
      }
      [[fallthrough]];
    case UserState::ok: voice.say(line);
  }
}

}  // namespace

int migrate_users(const Invocation& invocation, Voice& voice, Report& report) {
  report.dry_run = invocation.dry_run;
  std::vector<UserReport>& users = report.users.emplace();
  require_root();
  Invocation theirs = invocation;
  theirs.all_users = false;  // nor is it in what a hint tells them to type
  Settled settled = {migrations_directory(invocation), {}};
  if (theirs.migrations_dir) {
    theirs.migrations_dir = settled.tree;
  }
  settled.python = invocation.python ? invocation.python : environment("TELEC_PYTHON");
  if (settled.python && settled.python->find('/') != std::string::npos) {
    settled.python = find_python(invocation.python);
  }
  if (theirs.python) {
    theirs.python = settled.python;
  }
  const Catalog catalog = Tree(settled.tree).read_catalog();
  report.problems = catalog.problems();
  voice.problems(report);
  refuse_problems_if_strict(invocation, report);
  refuse_wrong_ids(invocation, catalog, {});
  // As root and for everybody, before anybody's turn: each user's own run cannot know what root may rely on.
  std::vector<const Migration*> scripts;
  for (const Migration& migration : catalog.migrations()) {
    scripts.push_back(&migration);
  }
  refuse_unsafe_tree(settled.tree);
  refuse_unsafe_scripts(settled.tree, scripts);
  const std::vector<Account> accounts = chosen_accounts(invocation, users);
  for (const UserReport& user : users) {
    show(user, invocation, voice);
  }
  const UsersAsked asked = {!invocation.all_users, settled.python.has_value()};
  StopSignals stop;
  bool pending = false;
  for (const Account& account : accounts) {
    theirs.users = {account.name};
    theirs.home = account.home;
    Console console = voice.console();
    const auto run = [&] {
      return run_as(
          account, invocation.user_timeout, stop, [&] { return migrate_here(theirs, settled); },
          [&](std::string_view said) { console.printed(said); });
    };
    users.push_back(stop.signal() != 0 ? unreached_user(account, "stopped before its turn")
                                       : judge_user(account, run(), asked));
    pending = pending || users.back().exit == pending_exit_code;
    show(users.back(), invocation, voice);
  }
  voice.say(users_summary(users, invocation.dry_run) + "\n");
  report.error = error_for(users, asked, invocation.dry_run, stop.signal());
  return voice.finish(report, report.error ? report.exit_code() : pending ? pending_exit_code : 0);
}

bool hook_is_idle(const Invocation& invocation, Voice& voice, Report& report) {
  const bool state_is_named = invocation.state_file || environment("TELEC_STATE_FILE");
  std::string reason;
  if (environment("DPKG_ROOT")) {
    reason = "DPKG_ROOT is set: an image is built from outside, and nothing is done";
  } else if (!names_users(invocation) && !state_is_named && is_root_without_data()) {
    reason = "root has no ~/.teleclaude, and no state file is named: nothing is done";
  } else {
    return false;
  }
  report.notes.push_back(reason);
  if (invocation.verbose) {
    voice.insist("telec: " + reason + "\n");
  }
  return true;
}

}  // namespace telec
