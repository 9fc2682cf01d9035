// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builders of Field: number<&PortConfig::mtu>(576, 9600). The template arguments are the path of
// members from the row's object to the target. Only the schema_*.cpp files include this.

#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "control/config/schema.h"

namespace pollux::control::schema {

// For the long tables of rows.
inline constexpr Change kReload = Change::Reload;

template <typename T>
struct MemberPointer;
template <typename C, typename M>
struct MemberPointer<M C::*> {
    using Class = C;
};

template <auto First, auto... Rest>
auto& member(void* object) {
    auto& target = static_cast<typename MemberPointer<decltype(First)>::Class*>(object)->*First;
    if constexpr (sizeof...(Rest) == 0) {
        return target;
    } else {
        return member<Rest...>(&target);
    }
}

template <typename T>
requires std::is_arithmetic_v<T> || std::is_enum_v<T>
void assign(T& target, const Reading& reading) {
    if constexpr (std::is_same_v<T, bool>) {
        target = reading.boolean;
    } else if constexpr (std::is_floating_point_v<T>) {
        target = reading.real;
    } else {
        target = static_cast<T>(reading.integer);
    }
}
inline void assign(Duration& target, const Reading& reading) {
    target = reading.duration;
}
inline void assign(std::string& target, const Reading& reading) {
    target = reading.text;
}
inline void assign(Command& target, const Reading& reading) {
    target.argv = reading.list;
}
inline void assign(net::IpAddress& target, const Reading& reading) {
    target = reading.prefix.address;
}
inline void assign(net::IpPrefix& target, const Reading& reading) {
    target = reading.prefix;
}
inline void assign(net::MacAddress& target, const Reading& reading) {
    target = reading.mac;
}
inline void assign(NumberRange& target, const Reading& reading) {
    target = reading.ranges.front();
}
inline void assign(std::vector<NumberRange>& target, const Reading& reading) {
    target = reading.ranges;
}
inline void assign(std::vector<std::uint8_t>& target, const Reading& reading) {
    target = reading.bytes;
}
inline void assign(std::vector<std::string>& target, const Reading& reading) {
    target = reading.list;
}
inline void assign(std::vector<unsigned>& target, const Reading& reading) {
    target.assign(reading.integers.begin(), reading.integers.end());
}
inline void assign(std::vector<net::IpPrefix>& target, const Reading& reading) {
    target = reading.prefixes;
}
inline void assign(std::vector<net::IpAddress>& target, const Reading& reading) {
    target.clear();
    for (const net::IpPrefix& prefix : reading.prefixes) target.push_back(prefix.address);
}
template <typename T>
void assign(std::optional<T>& target, const Reading& reading) {
    T value{};
    assign(value, reading);
    target = std::move(value);
}

template <auto... Path>
Field of_type(ValueType type) {
    Field field;
    field.type = type;
    field.store = [](void* object, const Reading& reading) {
        assign(member<Path...>(object), reading);
    };
    return field;
}

template <auto... Path>
Field boolean() {
    return of_type<Path...>(ValueType::Boolean);
}
template <auto... Path>
Field number(std::int64_t minimum, std::int64_t maximum) {
    Field field = of_type<Path...>(ValueType::Integer);
    field.minimum = minimum;
    field.maximum = maximum;
    return field;
}
template <auto... Path>
Field real(double minimum, double maximum) {
    Field field = of_type<Path...>(ValueType::Real);
    field.real_minimum = minimum;
    field.real_maximum = maximum;
    return field;
}
// At most `longest` characters.
template <auto... Path>
Field text(std::int64_t longest = 255) {
    Field field = of_type<Path...>(ValueType::Text);
    field.maximum = longest;
    return field;
}
template <auto... Path>
Field name(std::int64_t longest = 63) {
    Field field = of_type<Path...>(ValueType::Name);
    field.minimum = 1;
    field.maximum = longest;
    return field;
}
template <auto... Path>
Field duration(Duration minimum, Duration maximum) {
    Field field = of_type<Path...>(ValueType::Time);
    field.minimum = minimum.count();
    field.maximum = maximum.count();
    return field;
}
template <auto... Path>
Field size(std::int64_t minimum, std::int64_t maximum) {
    Field field = of_type<Path...>(ValueType::Size);
    field.minimum = minimum;
    field.maximum = maximum;
    return field;
}
template <auto... Path>
Field choice(std::span<const Choice> choices) {
    Field field = of_type<Path...>(ValueType::Choice);
    field.choices = choices;
    return field;
}

// A child table that exists once: the object is a member.
template <auto... Path>
Field child(const TableSchema* (*table)()) {
    Field field;
    field.type = ValueType::Table;
    field.child = table;
    field.add = [](void* object) -> void* { return &member<Path...>(object); };
    return field;
}
// A child table whose object is the parent's own.
inline Field section(const TableSchema* (*table)()) {
    Field field;
    field.type = ValueType::Table;
    field.child = table;
    field.add = [](void* object) { return object; };
    return field;
}
// An array of tables: each is appended to a vector.
template <auto... Path>
Field children(const TableSchema* (*table)()) {
    Field field;
    field.type = ValueType::TableList;
    field.child = table;
    field.add = [](void* object) -> void* { return &member<Path...>(object).emplace_back(); };
    return field;
}

template <auto... Path>
Origin* origin(void* object) {
    return &member<Path...>(object);
}

}  // namespace pollux::control::schema
