// SPDX-License-Identifier: MIT
// What happens, as it happens, for machines: one JSON object per line (docs/schema/events.json). Decides nothing;
// where the lines go is others' business.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "../runner.hpp"

namespace telec {

class Events : public Progress {
 public:
  using Sink = std::function<void(std::string_view)>;
  using Clock = std::function<std::string()>;

  /// `now` gives the time as UTC, RFC 3339.
  Events(Sink sink, Clock now) : sink_(std::move(sink)), now_(std::move(now)) {}

  void planned(const std::vector<const Migration*>& pending) override;
  void started(const Migration& migration, std::size_t position, std::size_t total) override;
  /// One event for each line, without its end ('\n' or CRLF), of at most 4 KiB: a longer line comes in pieces.
  void printed(std::string_view bytes) override;
  /// `finished`, and where the record is durable `committed` after it.
  void finished(const ReportEntry& entry) override;
  void note(const std::string& text) override;
  /// The last line: how the run as a whole ended.
  void ended(const Report& report, int exit_code);

 private:
  void write(const char* event, const std::string& members);
  void write_line(std::string_view line);

  Sink sink_;
  Clock now_;
  std::string id_;
  std::string partial_line_;
};

}  // namespace telec
