// SPDX-License-Identifier: MIT
// In all three shells the ids and versions come from `telec migrate status`, with the tree and the state file that are
// named on the line so far.
#include "completions.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "command_table.hpp"

namespace telec {
namespace {

enum class Values { none, ids, versions, files, directories, users, words };

Values values_of(const OptionRow& option) {
  const std::string_view argument = option.argument == nullptr ? "" : option.argument;
  if (argument == "ID") {
    return Values::ids;
  }
  if (argument == "VERSION") {
    return Values::versions;
  }
  if (argument == "DIR") {
    return Values::directories;
  }
  if (argument == "NAME") {
    return Values::users;
  }
  if (argument == "WHEN" || option.argument_optional) {
    return Values::words;
  }
  return argument.starts_with("FILE") ? Values::files : Values::none;
}

/// The values themselves, where they are few.
std::string words_of(const OptionRow& option) {
  return option.argument_optional ? option.argument : "auto always never";
}

/// "log" for "migrate log"; empty for "migrate" itself.
std::string below_migrate(const VerbRow& verb) {
  const std::string_view words = verb.words;
  return words.starts_with("migrate ") ? std::string(words.substr(8)) : std::string();
}

std::vector<const VerbRow*> migrate_verbs() {
  std::vector<const VerbRow*> rows;
  for (const VerbRow& verb : verbs()) {
    if (std::string_view(verb.words).starts_with("migrate")) {
      rows.push_back(&verb);
    }
  }
  return rows;
}

std::string verb_names(const char* between) {
  std::string names;
  for (const VerbRow* verb : migrate_verbs()) {
    if (const std::string name = below_migrate(*verb); !name.empty()) {
      names += (names.empty() ? "" : between) + name;
    }
  }
  return names;
}

/// Which ids an option or a verb wants: the argument of `telec migrate status` that lists them.
const char* filter_of(std::string_view word) {
  if (word == "only" || word == "mark") {
    return "--pending";
  }
  return word == "rerun" || word == "forget" ? "--applied" : "";
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// In single quotes, for bash and zsh.
std::string in_quotes(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

std::string options_of(const VerbRow& verb) {
  std::string words;
  for (const OptionRow& option : options()) {
    if (has_option(verb.verb, option)) {
      words += (words.empty() ? "--" : " --") + std::string(option.name);
    }
  }
  return words;
}

constexpr std::string_view made_from = "# Made from telec's table of verbs and options when it was built.\n";

// The ids, by the tree and the state that are named on the line. `$1`: --pending, --applied or nothing.
constexpr std::string_view ids_function = R"(_telec_ids() {
    local word previous='' where=()
    for word in "${words[@]}"; do
        case $previous in
            --migrations-dir|--state-file) where+=("$previous" "$word") ;;
        esac
        case $word in
            --migrations-dir=*|--state-file=*) where+=("$word") ;;
        esac
        previous=$word
    done
    telec migrate status --color never ${1:+"$1"} "${where[@]}" 2>/dev/null | sed -n 's/^\([0-9][^ ]*\/[0-9][^ ]*\.py\) .*/\1/p'
}
_telec_versions() {
    _telec_ids | sed 's,/.*,,' | sort -u
}
)";

}  // namespace

std::string bash_completion() {
  std::string out = "# bash completion for telec\n# SPDX-License-Identifier: MIT\n";
  out.append(made_from).append("\n").append(ids_function);
  out += R"(
_telec() {
    local words=("${COMP_WORDS[@]}") current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb='' word joined=''
    # bash cuts --option=value into three words.
    if [[ $current == '=' ]]; then
        current=''
        joined=yes
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD-2]}
        joined=yes
    fi
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'migrate help --help --version' -- "$current")
        return
    fi
    if [[ ${COMP_WORDS[1]} == help ]]; then
        if ((COMP_CWORD == 2)); then
            mapfile -t COMPREPLY < <(compgen -W 'migrate )";
  out += verb_names(" ") + R"(' -- "$current")
        elif ((COMP_CWORD == 3)) && [[ $previous == migrate ]]; then
            mapfile -t COMPREPLY < <(compgen -W ')";
  out += verb_names(" ") + R"(' -- "$current")
        fi
        return
    fi
    [[ ${COMP_WORDS[1]} == migrate ]] || return
    case $previous in
)";
  for (const OptionRow& option : options()) {
    if (option.argument == nullptr) {
      continue;
    }
    const std::string label = std::string("        --") + option.name + ") ";
    const auto offer = [&](const std::string& what) {
      out.append(label).append(option.argument_optional ? "[[ -z $joined ]] || { " : "").append(what);
      out += option.argument_optional ? "return; } ;;\n" : "return ;;\n";
    };
    const auto generate = [](const std::string& arguments) {
      return "mapfile -t COMPREPLY < <(compgen " + arguments + " -- \"$current\"); ";
    };
    switch (values_of(option)) {
      case Values::ids: offer(generate(std::string("-W \"$(_telec_ids ") + filter_of(option.name) + ")\"")); break;
      case Values::versions: offer(generate("-W \"$(_telec_versions)\"")); break;
      case Values::directories: offer("compopt -o filenames; " + generate("-d")); break;
      case Values::files: offer("compopt -o filenames; " + generate("-f")); break;
      case Values::users: offer(generate("-u")); break;
      case Values::words: offer(generate("-W '" + words_of(option) + "'")); break;
      case Values::none: offer(""); break;
    }
  }
  out += "    esac\n    for word in \"${COMP_WORDS[@]:2:COMP_CWORD-2}\"; do\n        case $word in\n            ";
  out += verb_names("|") + ") verb=$word; break ;;\n        esac\n    done\n    case $verb in\n";
  for (const VerbRow* verb : migrate_verbs()) {
    const std::string name = below_migrate(*verb);
    if (name.empty()) {
      continue;
    }
    out += "        " + name +
           ")\n            if [[ $current == -* ]]; then\n                mapfile -t COMPREPLY < <(compgen -W '" +
           options_of(*verb) + "' -- \"$current\")\n";
    if (verb->kind == Words::id) {
      out += "            else\n                mapfile -t COMPREPLY < <(compgen -W \"$(_telec_ids " +
             std::string(filter_of(name)) + ")\" -- \"$current\")\n";
    } else if (verb->kind == Words::directory) {
      out +=
          "            else\n                compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "
          "\"$current\")\n";
    }
    out += "            fi ;;\n";
  }
  out +=
      "        *)\n            if [[ $current == -* ]]; then\n                mapfile -t COMPREPLY < <(compgen -W '" +
      options_of(*migrate_verbs().front()) +
      "' -- \"$current\")\n            else\n                mapfile -t COMPREPLY < <(compgen -W '" + verb_names(" ") +
      "' -- \"$current\")\n            fi ;;\n    esac\n}\ncomplete -F _telec telec\n";
  return out;
}

std::string zsh_completion() {
  std::string out = "#compdef telec\n# SPDX-License-Identifier: MIT\n";
  out.append(made_from).append("\n").append(ids_function);
  out +=
      "_telec_offer_ids() { local -a ids; ids=(${(f)\"$(_telec_ids $1)\"}); compadd -a ids }\n"
      "_telec_offer_versions() { local -a versions; versions=(${(f)\"$(_telec_versions)\"}); compadd -a versions }\n\n"
      "_telec() {\n    local -a verbs\n    local verb='' word\n    verbs=(\n";
  for (const VerbRow* verb : migrate_verbs()) {
    if (const std::string name = below_migrate(*verb); !name.empty()) {
      out += "        " + in_quotes(name + ":" + verb->summary) + "\n";
    }
  }
  out +=
      "    )\n    if ((CURRENT == 2)); then\n        compadd -- migrate help --help --version\n        return\n    fi\n"
      "    if [[ $words[2] == help ]]; then\n        ((CURRENT == 3)) && { compadd -- migrate; _describe "
      "command verbs }\n"
      "        ((CURRENT == 4)) && [[ $words[3] == migrate ]] && _describe command verbs\n        return\n    fi\n"
      "    [[ $words[2] == migrate ]] || return\n"
      "    for word in ${words[3,CURRENT-1]}; do\n        case $word in\n            (" +
      verb_names("|") +
      ") verb=$word; break ;;\n        esac\n    done\n"
      "    case $verb in\n";
  for (const VerbRow* verb : migrate_verbs()) {
    const std::string name = below_migrate(*verb);
    std::string lines;
    for (const OptionRow& option : options()) {
      if (!has_option(verb->verb, option)) {
        continue;
      }
      std::string help = replaced(replaced(option.help, "[", "("), "]", ")");
      help = replaced(help, ":", " -");
      const char* equals = option.argument_optional ? "=-" : option.argument != nullptr ? "=" : "";
      std::string spec = std::string(option.repeatable ? "*" : "") + "--" + option.name + equals + "[" + help + "]";
      if (option.argument != nullptr) {
        spec += std::string(option.argument_optional ? "::" : ":") + option.argument + ":";
        switch (values_of(option)) {
          case Values::ids: spec += std::string("{_telec_offer_ids ") + filter_of(option.name) + "}"; break;
          case Values::versions: spec += "_telec_offer_versions"; break;
          case Values::directories: spec += "_files -/"; break;
          case Values::files: spec += "_files"; break;
          case Values::users: spec += "_users"; break;
          case Values::words: spec += "(" + words_of(option) + ")"; break;
          case Values::none: spec += " "; break;
        }
      }
      lines += " \\\n                " + in_quotes(spec);
    }
    if (verb->kind == Words::id) {
      lines += " \\\n                " + in_quotes(std::string("*:ID:{_telec_offer_ids ") + filter_of(name) + "}");
    } else if (verb->kind == Words::directory) {
      lines += " \\\n                '*:DIR:_files -/'";
    }
    if (name.empty()) {
      lines += " \\\n                '*:command:{_describe command verbs}'";
    }
    out += "        " + (name.empty() ? "''" : name) + ")\n            _arguments -S" + lines + " ;;\n";
  }
  return out +
         "    esac\n}\n\nif [[ $funcstack[1] == _telec ]]; then\n    _telec \"$@\"\nelse\n    compdef _telec "
         "telec\nfi\n";
}

std::string fish_completion() {
  const auto quoted_for_fish = [](const std::string& text) {
    return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
  };
  std::string out = "# SPDX-License-Identifier: MIT\n";
  out.append(made_from);
  out += R"(
function __telec_ids
    set -l where
    set -l previous ''
    for word in (commandline -opc)
        if contains -- $previous --migrations-dir --state-file
            set -a where $previous $word
        else if string match -q -- '--migrations-dir=*' $word; or string match -q -- '--state-file=*' $word
            set -a where $word
        end
        set previous $word
    end
    telec migrate status --color never $argv $where 2>/dev/null | string replace -rf '^(\d\S*/\d\S*\.py) .*' '$1'
end
function __telec_versions
    __telec_ids | string replace -r '/.*' '' | sort -u
end
function __telec_verb
    set -l words (commandline -opc)
    set -l verb ''
    if test (count $words) -gt 2
        for word in $words[3..-1]
            if contains -- $word )";
  out += verb_names(" ") + R"(
                set verb $word
                break
            end
        end
    end
    test (count $words) -gt 1; and test $words[2] = migrate; and test "$verb" = "$argv[1]"
end
function __telec_after_help
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test $words[2] = help; and return
    test (count $words) -eq 3; and test "$words[2..3]" = 'help migrate'; and test "$argv[1]" != migrate
end

complete -c telec -f
complete -c telec -n '__fish_is_nth_token 1' -a migrate -d 'run the pending migrations, in order'
complete -c telec -n '__fish_is_nth_token 1' -a help -d 'show the help'
complete -c telec -n '__telec_after_help migrate' -a migrate -d 'the help of telec migrate'
)";
  for (const VerbRow* verb : migrate_verbs()) {
    const std::string name = below_migrate(*verb);
    const std::string when = "complete -c telec -n '__telec_verb \"" + name + "\"'";
    if (!name.empty()) {
      for (const char* where : {"__telec_verb \"\"", "__telec_after_help"}) {
        out += std::string("complete -c telec -n '") + where + "' -a " + name + " -d " +
               quoted_for_fish(verb->summary) + "\n";
      }
    }
    if (verb->kind == Words::id) {
      out += when + " -a '(__telec_ids " + filter_of(name) + ")'\n";
    } else if (verb->kind == Words::directory) {
      out += when + " -a '(__fish_complete_directories)'\n";
    }
    for (const OptionRow& option : options()) {
      if (!has_option(verb->verb, option)) {
        continue;
      }
      std::string line = when + " -l " + option.name + (option.letter != 0 ? std::string(" -s ") + option.letter : "") +
                         " -d " + quoted_for_fish(option.help);
      if (option.argument != nullptr) {
        switch (values_of(option)) {
          case Values::ids: line += std::string(" -x -a '(__telec_ids ") + filter_of(option.name) + ")'"; break;
          case Values::versions: line += " -x -a '(__telec_versions)'"; break;
          case Values::directories: line += " -x -a '(__fish_complete_directories)'"; break;
          case Values::files: line += " -r -F"; break;
          case Values::users: line += " -x -a '(__fish_complete_users)'"; break;
          case Values::words:
            line += std::string(option.argument_optional ? "" : " -x") + " -a '" + words_of(option) + "'";
            break;
          case Values::none: line += " -x"; break;
        }
      }
      out += line + "\n";
    }
  }
  return out;
}

}  // namespace telec
