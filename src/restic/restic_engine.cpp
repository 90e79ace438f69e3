#include "restic/restic_engine.hpp"

#include "os/system.hpp"
#include "restic/restic_session.hpp"

#include <utility>

namespace xentz::restic {
namespace {

class restic_engine final : public engine::backup_engine {
public:
    restic_engine(restic_setup setup, os::process_runner& runner)
    {
        if (!setup.clock) setup.clock = os::make_clock();
        program_ = std::make_shared<restic_program>(std::move(setup), runner);
    }

    std::string_view name() const override { return "restic"; }

    base::result<std::string> version() override
    {
        auto v = program_->version({});
        if (!v) return base::failed(v);
        return to_text(*v);
    }

    base::result<std::unique_ptr<engine::session>> open(const engine::repository& r) override
    {
        return std::make_unique<restic_session>(program_, r);
    }

private:
    std::shared_ptr<restic_program> program_;
};

} // namespace

std::unique_ptr<engine::backup_engine> make_restic_engine(restic_setup setup, os::process_runner& runner)
{
    return std::make_unique<restic_engine>(std::move(setup), runner);
}

} // namespace xentz::restic
