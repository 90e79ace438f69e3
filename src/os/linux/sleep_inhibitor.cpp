#include "os/sleep_inhibitor.hpp"

#include "os/linux/bus.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace xentz::os {
namespace {

// logind's lock is a descriptor: it holds until the last copy of it is closed. Children do not inherit it.
class inhibitor_descriptor final : public wakefulness {
public:
    explicit inhibitor_descriptor(int fd) : fd_(fd) {}
    ~inhibitor_descriptor() override
    {
        if (fd_ >= 0) ::close(fd_);
    }
    inhibitor_descriptor(const inhibitor_descriptor&) = delete;
    inhibitor_descriptor& operator=(const inhibitor_descriptor&) = delete;
    bool granted() const override { return fd_ >= 0; }

private:
    int fd_;
};

// The descriptor, or -1.
int inhibit(sd_bus* b, const std::string& who, const std::string& why)
{
    sd_bus_message* reply = nullptr;
    const int called =
        sd_bus_call_method(b, "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                           "Inhibit", nullptr, &reply, "ssss", "sleep", who.c_str(), why.c_str(), "block");
    int fd = -1;
    // The message owns the descriptor that it brings.
    if (called >= 0 && sd_bus_message_read(reply, "h", &fd) >= 0) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    sd_bus_message_unref(reply);
    return fd;
}

class logind_inhibitor final : public sleep_inhibitor {
public:
    logind_inhibitor(std::string who, std::string address) : who_(std::move(who)), address_(std::move(address)) {}

    std::unique_ptr<wakefulness> keep_awake(const std::string& why) override
    {
        const auto b = connect_to_bus(address_);
        if (!b) return std::make_unique<inhibitor_descriptor>(-1);
        return std::make_unique<inhibitor_descriptor>(inhibit(b.get(), who_, why));
    }

private:
    std::string who_;
    std::string address_;
};

} // namespace

std::unique_ptr<sleep_inhibitor> make_sleep_inhibitor(std::string who, std::string bus_address)
{
    return std::make_unique<logind_inhibitor>(std::move(who), std::move(bus_address));
}

} // namespace xentz::os
