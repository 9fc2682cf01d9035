// SPDX-License-Identifier: Apache-2.0
#include "control/api/tickets.h"

#include <utility>

namespace pollux::control::api {

std::uint64_t Tickets::open() {
    while (waiting_.size() >= kMaxTickets) waiting_.erase(waiting_.begin());
    waiting_[next_] = {};
    return next_++;
}

void Tickets::expect(std::uint64_t ticket, std::size_t parts) {
    const auto found = waiting_.find(ticket);
    if (found != waiting_.end()) found->second.parts = parts;
}

void Tickets::add(std::uint64_t ticket, Json part) {
    const auto found = waiting_.find(ticket);
    if (found != waiting_.end()) found->second.answer.push_back(std::move(part));
}

std::optional<Json> Tickets::take(std::uint64_t ticket) {
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end()) return std::nullopt;
    if (found->second.answer.size() < found->second.parts) return Json(nullptr);
    Json answer = std::move(found->second.answer);
    waiting_.erase(found);
    return answer;
}

Json pending_answer(std::uint64_t ticket) {
    return {{"pending", true}, {"ticket", ticket}};
}

}  // namespace pollux::control::api
