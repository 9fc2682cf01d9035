// SPDX-License-Identifier: Apache-2.0

#include "tests/unit/scheduler/slow_model.h"

namespace pollux::lb::test {

namespace {

// The kernel's hash_32(value, 8).
std::uint32_t hash8(std::uint32_t value) {
    return static_cast<std::uint32_t>((std::uint64_t{value} * 0x61C88647ULL % (1ULL << 32)) >> 24);
}

// SipHash-1-3 of a four-byte message, from the published description of SipHash-c-d.
std::uint32_t siphash13(std::uint32_t message, std::uint64_t key) {
    std::uint64_t v[4] = {0x736f6d6570736575ULL ^ key, 0x646f72616e646f6dULL ^ key,
                          0x6c7967656e657261ULL ^ key, 0x7465646279746573ULL ^ key};
    const auto rotate = [](std::uint64_t x, int b) { return (x << b) | (x >> (64 - b)); };
    const auto sip_round = [&] {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13);
        v[3] = rotate(v[3], 16);
        v[1] ^= v[0];
        v[3] ^= v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17);
        v[3] = rotate(v[3], 21);
        v[1] ^= v[2];
        v[3] ^= v[0];
        v[2] = rotate(v[2], 32);
    };
    const std::uint64_t last = (4ULL << 56) + message;
    v[3] ^= last;
    sip_round();
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; ++i) sip_round();
    return static_cast<std::uint32_t>(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

constexpr std::uint64_t kKey1 = 2654435761, kKey2 = 2654446892;
constexpr std::uint32_t kMhSlots = 4093;

}  // namespace

ModelServer* SlowModel::add(const ModelServer& server) {
    storage_.push_back(server);
    servers.insert(servers.begin(), &storage_.back());
    changed();
    return &storage_.back();
}

void SlowModel::remove(ModelServer* server) {
    const auto place = std::find(servers.begin(), servers.end(), server);
    if (current_ == server) current_ = place == servers.begin() ? nullptr : *(place - 1);
    servers.erase(place);
    server->listed = false;
    changed();
}

void SlowModel::edit(ModelServer* server, int weight) {
    server->weight = weight;
    if (weight != 0) server->last_weight = weight;
    changed();
}

void SlowModel::changed() {
    if (scheduler_ == "wrr") {
        int divisor = 0, largest = 0;
        for (const ModelServer* server : servers) {
            divisor = std::gcd(divisor, server->weight);
            largest = std::max(largest, server->weight);
        }
        step_ = std::max(divisor, 1);
        top_ = largest - (step_ - 1);
        current_ = nullptr;
        if (level_ > top_ || level_ == 0) {
            level_ = top_;
        } else if (step_ > 1) {
            level_ = level_ / step_ * step_ + 1;
        }
    } else if (scheduler_ == "sh" || scheduler_ == "dh") {
        fill_sh();
    } else if (scheduler_ == "mh") {
        fill_mh();
    }
}

void SlowModel::fill_sh() {
    table_.clear();
    std::size_t next = 0;
    int given = 0;
    while (!servers.empty() && table_.size() < 256) {
        ModelServer* server = servers[next % servers.size()];
        table_.push_back(server);
        if (scheduler_ == "dh" || ++given >= server->weight) {
            ++next;
            given = 0;
        }
    }
}

void SlowModel::fill_mh() {
    table_.assign(kMhSlots, nullptr);
    int divisor = 0, largest = 0;
    for (const ModelServer* server : servers) {
        divisor = std::gcd(divisor, server->last_weight);
        largest = std::max(largest, server->last_weight);
    }
    if (largest == 0) return;
    int shift = 0;
    while (((largest / divisor) >> shift) >= 64) ++shift;
    std::vector<std::uint32_t> next;
    for (const ModelServer* server : servers) {
        next.push_back(siphash13(server->address + server->port, kKey1) % kMhSlots);
    }
    for (std::uint32_t filled = 0;;) {
        for (std::size_t i = 0; i < servers.size(); ++i) {
            const ModelServer* server = servers[i];
            int turns = (server->last_weight / divisor) >> shift;
            if (turns == 0 && server->last_weight != 0) turns = 1;
            const std::uint32_t skip =
                siphash13(server->address + server->port, kKey2) % (kMhSlots - 1) + 1;
            while (turns-- > 0) {
                while (table_[next[i]] != nullptr) next[i] = (next[i] + skip) % kMhSlots;
                table_[next[i]] = servers[i];
                if (++filled == kMhSlots) return;
            }
        }
    }
}

std::size_t SlowModel::after(ModelServer* server) const {
    const auto place = std::find(servers.begin(), servers.end(), server);
    return place == servers.end() ? 0 : static_cast<std::size_t>(place - servers.begin()) + 1;
}

ModelServer* SlowModel::rr(const ModelPacket& /*packet*/) {
    const std::size_t start = after(current_);
    for (std::size_t i = 0; i < servers.size(); ++i) {
        ModelServer* server = servers[(start + i) % servers.size()];
        if (server->usable()) return current_ = server;
    }
    return nullptr;
}

ModelServer* SlowModel::wrr(const ModelPacket& /*packet*/) {
    if (top_ == 0) return nullptr;
    const bool head = current_ == nullptr;
    const bool last_level = level_ <= step_;
    std::size_t place = after(current_);
    for (int walks = 0; walks < 2 * (top_ / step_ + 2); ++walks) {
        for (; place < servers.size(); ++place) {
            ModelServer* server = servers[place];
            if (!server->overloaded && server->weight >= level_) return current_ = server;
        }
        place = 0;
        level_ -= step_;
        if (level_ <= 0) level_ = top_;
    }
    // Nobody: the search ends where it began if it began on the last level after a server, else
    // at the start of the sequence.
    if (head || !last_level) {
        current_ = nullptr;
        level_ = top_;
    } else {
        level_ = 1;
    }
    return nullptr;
}

ModelServer* SlowModel::lc(const ModelPacket& /*packet*/) {
    ModelServer* best = nullptr;
    for (ModelServer* server : servers) {
        if (server->usable() && (best == nullptr || server->cost() < best->cost())) best = server;
    }
    return best;
}

ModelServer* SlowModel::wlc(const ModelPacket& /*packet*/) {
    ModelServer* best = nullptr;
    for (ModelServer* server : servers) {
        if (!server->usable()) continue;
        if (best == nullptr || best->cost() * server->weight > server->cost() * best->weight) {
            best = server;
        }
    }
    return best;
}

ModelServer* SlowModel::sed(const ModelPacket& /*packet*/) {
    ModelServer* best = nullptr;
    for (ModelServer* server : servers) {
        if (!server->usable()) continue;
        if (best == nullptr ||
            (best->active + 1) * server->weight > (server->active + 1) * best->weight) {
            best = server;
        }
    }
    return best;
}

ModelServer* SlowModel::nq(const ModelPacket& packet) {
    for (ModelServer* server : servers) {
        if (server->usable() && server->active == 0) return server;
    }
    return sed(packet);
}

ModelServer* SlowModel::fo(const ModelPacket& /*packet*/) {
    ModelServer* best = nullptr;
    for (ModelServer* server : servers) {
        if (server->usable() && (best == nullptr || server->weight > best->weight)) best = server;
    }
    return best;
}

ModelServer* SlowModel::ovf(const ModelPacket& /*packet*/) {
    ModelServer* best = nullptr;
    for (ModelServer* server : servers) {
        if (!server->usable() || server->active > server->weight) continue;
        if (best == nullptr || server->weight > best->weight) best = server;
    }
    return best;
}

ModelServer* SlowModel::hashed(const ModelPacket& packet) {
    const bool mh = scheduler_ == "mh";
    const std::uint32_t key =
        scheduler_ == "dh" ? packet.destination : packet.client + (port_ ? packet.port : 0);
    const auto slot = [&](std::uint32_t offset) {
        return mh ? siphash13(key + offset, kKey1) % kMhSlots : (offset + hash8(key)) % 256;
    };
    if (table_.empty()) return nullptr;
    const std::uint32_t first = slot(0);
    if (table_[first] == nullptr) return nullptr;
    if (table_[first]->usable()) return table_[first];
    if (!fallback_) return nullptr;
    for (std::uint32_t offset = 0; offset < table_.size(); ++offset) {
        ModelServer* server =
            table_[slot((offset + first) % static_cast<std::uint32_t>(table_.size()))];
        if (server->usable()) return server;
    }
    return nullptr;
}

bool SlowModel::crowded(const ModelServer* server) const {
    if (server->active <= server->weight) return false;
    return std::any_of(servers.begin(), servers.end(),
                       [](const ModelServer* other) { return other->active * 2 < other->weight; });
}

ModelServer* SlowModel::lblc(const ModelPacket& packet) {
    const auto known = affinity_.find(packet.destination);
    if (known != affinity_.end() && known->second->listed && known->second->weight > 0 &&
        !crowded(known->second)) {
        return known->second;
    }
    ModelServer* chosen = wlc(packet);
    if (chosen != nullptr) affinity_[packet.destination] = chosen;
    return chosen;
}

ModelServer* SlowModel::lblcr(const ModelPacket& packet) {
    const auto known = replicas_.find(packet.destination);
    if (known != replicas_.end()) {
        ModelServer* best = nullptr;
        for (ModelServer* server : known->second) {
            if (!server->listed || !server->usable()) continue;
            if (best == nullptr || best->cost() * server->weight > server->cost() * best->weight) {
                best = server;
            }
        }
        if (best != nullptr && !crowded(best)) return best;
    }
    ModelServer* chosen = wlc(packet);
    if (chosen == nullptr) return nullptr;
    std::list<ModelServer*>& set = replicas_[packet.destination];
    if (std::find(set.begin(), set.end(), chosen) == set.end()) set.push_front(chosen);
    return chosen;
}

ModelServer* SlowModel::pick(const ModelPacket& packet) {
    static const std::map<std::string, Pick> picks = {
        {"rr", &SlowModel::rr},       {"wrr", &SlowModel::wrr},   {"lc", &SlowModel::lc},
        {"wlc", &SlowModel::wlc},     {"sed", &SlowModel::sed},   {"nq", &SlowModel::nq},
        {"fo", &SlowModel::fo},       {"ovf", &SlowModel::ovf},   {"dh", &SlowModel::hashed},
        {"sh", &SlowModel::hashed},   {"mh", &SlowModel::hashed}, {"lblc", &SlowModel::lblc},
        {"lblcr", &SlowModel::lblcr},
    };
    return (this->*picks.at(scheduler_))(packet);
}

}  // namespace pollux::lb::test
