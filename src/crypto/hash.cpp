#include "crypto/hash.hpp"

#include "base/hex.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <new>

namespace xentz::crypto {

struct sha256::state {
    struct release {
        void operator()(EVP_MD_CTX* freed) const { EVP_MD_CTX_free(freed); }
    };
    std::unique_ptr<EVP_MD_CTX, release> context;
};

sha256::sha256() : state_(std::make_unique<state>())
{
    state_->context.reset(EVP_MD_CTX_new());
    if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc{};
}

sha256::~sha256() = default;
sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;

void sha256::update(std::span<const char> bytes)
{
    EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
}

digest sha256::finish()
{
    digest out{};
    EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr);
    return out;
}

digest sha256_of(std::string_view bytes)
{
    sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

std::string sha256_hex(std::string_view bytes) { return base::to_hex(sha256_of(bytes)); }

digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view message)
{
    digest out{};
    unsigned int size = 0;
    // OpenSSL wants unsigned bytes; the text's bytes are the same.
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, message.size(), out.data(), &size);
    return out;
}

bool equal(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace xentz::crypto
