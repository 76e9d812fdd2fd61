// SPDX-License-Identifier: MIT
#include "sha256.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace telec {
namespace {

// FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of the cube roots of the first 64 primes,
// and of the square roots of the first 8. Computed here, so that no digit can be mistyped.

constexpr std::array<std::uint64_t, 64> first_primes() {
  std::array<std::uint64_t, 64> primes{};
  std::size_t count = 0;
  for (std::uint64_t candidate = 2; count < primes.size(); ++candidate) {
    bool prime = true;
    for (std::size_t i = 0; i < count && primes.at(i) * primes.at(i) <= candidate; ++i) {
      prime = prime && candidate % primes.at(i) != 0;
    }
    if (prime) {
      primes.at(count++) = candidate;
    }
  }
  return primes;
}

__extension__ using Wide = unsigned __int128;  // both compilers have it; ISO C++ does not

/// The fractional 32 bits of the `degree`-th root of n: the largest x with x^degree <= n * 2^(32 * degree).
constexpr std::uint32_t root_fraction(std::uint64_t n, int degree) {
  std::uint64_t low = 0;
  std::uint64_t high = std::uint64_t{1} << 40U;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    // middle < 2^37 for the primes used here (all below 2^9), so its cube fits into 128 bits.
    Wide power = Wide{middle} * middle;
    if (degree == 3) {
      power = middle < (std::uint64_t{1} << 40U) ? power * middle : ~Wide{0};
    }
    if (power <= Wide{n} << (32U * static_cast<unsigned>(degree))) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return static_cast<std::uint32_t>(low);
}

constexpr auto round_constants = [] {
  std::array<std::uint32_t, 64> k{};
  const auto primes = first_primes();
  for (std::size_t i = 0; i < k.size(); ++i) {
    k.at(i) = root_fraction(primes.at(i), 3);
  }
  return k;
}();

constexpr auto initial_state = [] {
  std::array<std::uint32_t, 8> h{};
  const auto primes = first_primes();
  for (std::size_t i = 0; i < h.size(); ++i) {
    h.at(i) = root_fraction(primes.at(i), 2);
  }
  return h;
}();

static_assert(round_constants[0] == 0x428a2f98 && round_constants[63] == 0xc67178f2);
static_assert(initial_state[0] == 0x6a09e667 && initial_state[7] == 0x5be0cd19);

using Words = std::array<std::uint32_t, 64>;

/// One round. The letters move up by one place from round to round: the caller names them anew instead of moving them.
struct Round {
  const Words& w;
  void operator()(std::size_t i, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t& d, std::uint32_t e,
                  std::uint32_t f, std::uint32_t g, std::uint32_t& h) const {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + (g ^ (e & (f ^ g))) + round_constants[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    d += t1;
    h = t1 + s0 + ((a & b) | (c & (a | b)));
  }
};

using Digest = std::array<std::uint32_t, 8>;
using Compress = void (*)(Digest&, const unsigned char*);

void compress_in_cpp(Digest& state, const unsigned char* block) {
  Words w{};
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{block[4 * i]} << 24U | std::uint32_t{block[4 * i + 1]} << 16U |
           std::uint32_t{block[4 * i + 2]} << 8U | std::uint32_t{block[4 * i + 3]};
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3U);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10U);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  const Round round{w};
  for (std::size_t i = 0; i < 64; i += 8) {
    round(i, a, b, c, d, e, f, g, h);
    round(i + 1, h, a, b, c, d, e, f, g);
    round(i + 2, g, h, a, b, c, d, e, f);
    round(i + 3, f, g, h, a, b, c, d, e);
    round(i + 4, e, f, g, h, a, b, c, d);
    round(i + 5, d, e, f, g, h, a, b, c);
    round(i + 6, c, d, e, f, g, h, a, b);
    round(i + 7, b, c, d, e, f, g, h, a);
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#if defined(__x86_64__)

/// CPUID leaf 7, EBX bit 29 (Intel SDM, volume 2, CPUID); the other instructions here are older than that one.
bool has_sha_instructions() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx >> 29U & 1U) != 0;
}

/// Intel SDM, volume 2: SHA256MSG1, SHA256MSG2, SHA256RNDS2, which does two rounds. It wants the letters as ABEF and
/// CDGH.
__attribute__((target("sha,sse4.1"))) void compress_by_processor(Digest& state, const unsigned char* block) {
  const auto [a, b, c, d, e, f, g, h] = state;
  const auto four = [](std::uint32_t high, std::uint32_t next, std::uint32_t lower, std::uint32_t low) {
    return _mm_set_epi32(static_cast<int>(high), static_cast<int>(next), static_cast<int>(lower),
                         static_cast<int>(low));
  };
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abef = four(a, b, e, f);
  __m128i cdgh = four(c, d, g, h);
  __m128i w[4];  // NOLINT(modernize-avoid-c-arrays): std::array drops the alignment that the type asks for
  for (std::size_t i = 0; i < 16; ++i) {
    __m128i& now = w[i % 4];
    const __m128i& last = w[(i + 3) % 4];
    if (i < 4) {
      now = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i)), big_endian);
    } else {
      const __m128i seven_back = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
      now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) % 4]), seven_back), last);
    }
    const __m128i constants = _mm_loadu_si128(reinterpret_cast<const __m128i*>(round_constants.data() + 4 * i));
    const __m128i sum = _mm_add_epi32(now, constants);
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
  }
  std::array<std::uint32_t, 4> feba{};
  std::array<std::uint32_t, 4> hgdc{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(feba.data()), abef);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(hgdc.data()), cdgh);
  state[0] += feba[3], state[1] += feba[2], state[2] += hgdc[3], state[3] += hgdc[2];
  state[4] += feba[1], state[5] += feba[0], state[6] += hgdc[1], state[7] += hgdc[0];
}

#endif

std::string digest_of(std::string_view bytes, Compress compress) {
  Digest state = initial_state;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 64; data += 64, left -= 64) {
    compress(state, data);
  }
  // The rest, a 1 bit, zeros, and the length in bits (FIPS 180-4, 5.1.1): one block or two.
  std::array<unsigned char, 128> tail{};
  std::copy_n(data, left, tail.begin());
  tail.at(left) = 0x80;
  const std::size_t size = left < 56 ? 64 : 128;
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i) {
    tail.at(size - 1 - i) = static_cast<unsigned char>(bits >> (8 * i));
  }
  for (std::size_t at = 0; at < size; at += 64) {
    compress(state, tail.data() + at);
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const std::uint32_t word : state) {
    for (unsigned shift = 32; shift > 0; shift -= 4) {
      text.push_back(digits[(word >> (shift - 4)) & 0xfU]);
    }
  }
  return text;
}

}  // namespace

std::string sha256(std::string_view bytes) {
#if defined(__x86_64__)
  static const Compress compress = has_sha_instructions() ? compress_by_processor : compress_in_cpp;
  return digest_of(bytes, compress);
#else
  return sha256_in_cpp(bytes);
#endif
}

std::string sha256_in_cpp(std::string_view bytes) { return digest_of(bytes, compress_in_cpp); }

}  // namespace telec
