// What only the store on a disk has: its layout, its identity, its lock, its leftovers.
#include "contract/repo/blob_store_support.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/scratch_folder.hpp"
#include "repo/counting_store.hpp"
#include "repo/disk_blob_store.hpp"

#include <gtest/gtest.h>

#include <array>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

namespace xentz::repo::suite {
namespace {

namespace stdfs = std::filesystem;

struct disk : testing::Test {
    fakes::scratch_folder folder;
    stdfs::path root = folder.path() / "storage";
    stdfs::path repository = root / "repositories" / "repo_1";
    std::unique_ptr<os::files> fs = os::make_files();
    std::unique_ptr<disk_blob_store> store;

    void SetUp() override
    {
        ASSERT_TRUE(initialise_storage(*fs, root, "storage_1"));
        store = std::move(disk_blob_store::open(*fs, root, "storage_1").value());
        ASSERT_TRUE(store->create_repository("repo_1"));
    }
    static void write(const stdfs::path& p, std::string_view text) { std::ofstream{p} << text; }
    static std::string read(const stdfs::path& p)
    {
        std::ifstream in{p};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
};

TEST_F(disk, has_the_layout_of_restics_local_back_end)
{
    ASSERT_TRUE(put(*store, key_of(object_type::config, ""), "the config"));
    for (const auto type :
         {object_type::data, object_type::keys, object_type::locks, object_type::snapshots, object_type::index})
        ASSERT_TRUE(put(*store, key_of(type, "bytes"), "bytes"));
    const auto name_of_bytes = crypto::sha256_hex("bytes");
    EXPECT_EQ(read(repository / "config"), "the config");
    EXPECT_EQ(read(repository / "data" / name_of_bytes.substr(0, 2) / name_of_bytes), "bytes");
    for (const auto* type : {"keys", "locks", "snapshots", "index"})
        EXPECT_EQ(read(repository / type / name_of_bytes), "bytes");
    const auto entries = [](const stdfs::path& p) { return std::distance(stdfs::directory_iterator{p}, {}); };
    EXPECT_EQ(entries(repository), 6);
    EXPECT_EQ(entries(repository / "data"), 256);
    EXPECT_TRUE(stdfs::is_directory(repository / "data" / "00") && stdfs::is_directory(repository / "data" / "ff"));
    for (const auto& e : stdfs::recursive_directory_iterator{root / "incoming"}) EXPECT_TRUE(e.is_directory()) << e;
    const auto mode = [](const stdfs::path& p) { return static_cast<unsigned>(stdfs::status(p).permissions()); };
    EXPECT_EQ(mode(repository / "keys" / name_of_bytes), 0600U);
    EXPECT_EQ(mode(repository / "data" / "00"), 0700U);
}

TEST_F(disk, lists_nothing_that_is_no_object)
{
    ASSERT_TRUE(put(*store, key_of(object_type::data, "bytes"), "bytes"));
    const std::string other_shard(64, 'a');
    write(repository / "data" / "00" / other_shard, "in the wrong folder");
    write(repository / "data" / "00" / ".hidden", "x");
    write(repository / "data" / ("00" + std::string(62, 'b') + ".tmp"), "x");
    write(repository / "data" / "lost", "x");
    stdfs::create_directory(repository / "data" / "00" / ("00" + std::string(62, 'c')));
    stdfs::create_symlink("/etc/passwd", repository / "data" / "00" / ("00" + std::string(62, 'd')));
    EXPECT_EQ(listed(*store, object_type::data).value(),
              (std::map<std::string, std::uint64_t>{{crypto::sha256_hex("bytes"), 5}}));
    EXPECT_EQ(code(store->size({"repo_1", object_type::data, "00" + std::string(62, 'c')})), fault_code::not_found);
}

TEST_F(disk, an_upload_heals_a_damaged_object)
{
    const auto key = key_of(object_type::data, "bytes");
    ASSERT_TRUE(put(*store, key, "bytes"));
    write(repository / "data" / key.name.substr(0, 2) / key.name, "rotten");
    EXPECT_TRUE(put(*store, key, "bytes"));
    EXPECT_EQ(get(*store, key).value(), "bytes");
}

TEST_F(disk, makes_folders_that_a_copy_has_lost)
{
    const auto key = key_of(object_type::data, "bytes");
    stdfs::remove_all(repository / "data");
    stdfs::remove_all(repository / "keys");
    stdfs::remove_all(root / "incoming");
    EXPECT_TRUE(listed(*store, object_type::data).value().empty());
    EXPECT_TRUE(put(*store, key, "bytes"));
    EXPECT_TRUE(put(*store, key_of(object_type::keys, "bytes"), "bytes"));
    EXPECT_EQ(get(*store, key).value(), "bytes");
    EXPECT_EQ(listed(*store, object_type::keys)->size(), 1U);
}

TEST_F(disk, a_repository_that_is_removed_during_an_upload_does_not_come_back)
{
    auto in = store->receive(key_of(object_type::data, "bytes"), 1000);
    ASSERT_TRUE(in);
    ASSERT_TRUE((*in)->write(std::span{"bytes", 5}));
    stdfs::remove_all(repository);
    EXPECT_EQ(code((*in)->commit()), fault_code::not_found);
    EXPECT_FALSE(stdfs::exists(repository));
}

TEST_F(disk, has_an_identity)
{
    EXPECT_EQ(read(root / "storage.json"), "{\"format\":1,\"id\":\"storage_1\"}\n");
    EXPECT_EQ(read_storage_id(*fs, root).value(), "storage_1");
    EXPECT_TRUE(initialise_storage(*fs, root, "storage_1")) << "a second time";
    const auto other = initialise_storage(*fs, root, "storage_2");
    EXPECT_EQ(code(other), fault_code::conflict);
    EXPECT_NE(other.error().message.find("its id is storage_1"), std::string::npos);
    EXPECT_EQ(read_storage_id(*fs, root).value(), "storage_1");
    EXPECT_EQ(code(initialise_storage(*fs, root, "")), fault_code::invalid_value);
}

TEST_F(disk, says_what_is_wrong_with_the_storage)
{
    const auto said = [&] {
        const auto r = store->ready();
        EXPECT_EQ(code(r), fault_code::repository_unavailable);
        return r ? "" : base::sentence(r.error());
    };
    const auto where = "the storage at " + root.string();
    EXPECT_TRUE(store->ready());
    write(root / "storage.json", R"({"format":1,"id":"storage_2"})");
    EXPECT_EQ(said(), where +
                          " is another one (its id is storage_2, the database knows storage_1). Mount the disk that "
                          "belongs to this server.");
    for (const auto* text : {"", "{", "[]", "{}", R"({"format":1})", R"({"format":1,"id":""})",
                             R"({"format":"1","id":"storage_1"})", R"({"id":"storage_1"})"}) {
        write(root / "storage.json", text);
        EXPECT_NE(said().find("storage.json is damaged"), std::string::npos) << text;
    }
    write(root / "storage.json", R"({"format":2,"id":"storage_1"})");
    EXPECT_NE(said().find("has format 2, which this version does not know"), std::string::npos);
    write(root / "storage.json", std::string(5000, ' ') + R"({"format":1,"id":"storage_1"})");
    said();
    stdfs::remove(root / "storage.json");
    EXPECT_EQ(said(), where + " is not there: storage.json is missing. Mount the disk that holds it, or correct the "
                              "storage's path.");
    EXPECT_EQ(code(initialise_storage(*fs, root, "storage_1")), fault_code::internal);
    EXPECT_TRUE(store->ready());
}

TEST_F(disk, an_unreadable_identity_is_no_missing_storage)
{
    fakes::memory_files broken;
    ASSERT_TRUE(initialise_storage(broken, "/srv", "storage_1"));
    const auto there = std::move(disk_blob_store::open(broken, "/srv", "storage_1").value());
    broken.fail_at(2, fault_code::file_failed);
    const auto r = there->ready();
    ASSERT_EQ(code(r), fault_code::repository_unavailable);
    EXPECT_NE(r.error().message.find("cannot open /srv/storage.json"), std::string::npos);
}

TEST_F(disk, opens_with_a_sensible_path_and_id_only)
{
    EXPECT_EQ(code(disk_blob_store::open(*fs, "storage", "storage_1")), fault_code::invalid_value);
    EXPECT_EQ(code(disk_blob_store::open(*fs, root, "")), fault_code::invalid_value);
    EXPECT_TRUE(disk_blob_store::open(*fs, folder.path() / "not mounted yet", "storage_1"));
}

TEST_F(disk, is_served_by_one_process)
{
    ASSERT_TRUE(store->claim("server one"));
    EXPECT_TRUE(store->ready());
    const auto second = std::move(disk_blob_store::open(*fs, root, "storage_1").value());
    EXPECT_TRUE(second->ready()) << "to read it nothing is claimed";
    const auto claimed = second->claim("server two");
    ASSERT_EQ(code(claimed), fault_code::run_locked);
    EXPECT_NE(claimed.error().message.find("server one"), std::string::npos);
    EXPECT_EQ(code(second->ready()), fault_code::repository_unavailable);
    EXPECT_EQ(code(second->receive(key_of(object_type::data, "x"), 1000)), fault_code::repository_unavailable);
    store.reset();
    EXPECT_TRUE(second->ready()) << "the first one has ended";
}

TEST_F(disk, sweeps_what_interrupted_uploads_left)
{
    stdfs::create_directories(root / "incoming" / "part-1");
    for (const auto* left : {"0", "17", "part-1/1"}) write(root / "incoming" / left, "half");
    for (const auto* bytes : {"bytes", "others", "more"})
        EXPECT_TRUE(put(*store, key_of(object_type::data, bytes), bytes)) << "names that are taken are passed over";
    for (const auto* left : {"0", "part-1/1"}) EXPECT_EQ(read(root / "incoming" / left), "half");
    ASSERT_TRUE(store->claim("a test"));
    EXPECT_TRUE(stdfs::is_empty(root / "incoming"));
    EXPECT_EQ(get(*store, key_of(object_type::data, "bytes")).value(), "bytes");
}

// The first folder has enough for another thread to look at the next ones.
TEST_F(disk, lists_many_objects_once_each_and_folder_by_folder)
{
    std::map<std::string, std::uint64_t> stored;
    for (int i = 0; i < 3000; ++i) {
        const auto name = crypto::sha256_hex(std::to_string(i));
        const auto shard = name.substr(0, 2) < "40" ? "00" : name.substr(0, 2);
        const auto full = shard + name.substr(2);
        write(repository / "data" / shard / full, std::string(static_cast<std::size_t>(i % 7), 'x'));
        stored[full] = static_cast<std::uint64_t>(i % 7);
    }
    write(repository / "data" / "41" / crypto::sha256_hex("0"), "of another folder");
    stdfs::remove_all(repository / "data" / "50");
    std::erase_if(stored, [](const auto& object) { return object.first.starts_with("50"); });
    auto list = store->list("repo_1", object_type::data);
    ASSERT_TRUE(list);
    std::vector<std::string> folders;
    std::map<std::string, std::uint64_t> seen;
    for (auto o = (*list)->next(); o && *o; o = (*list)->next()) {
        EXPECT_TRUE(seen.emplace((*o)->name, (*o)->size).second) << (*o)->name;
        if (folders.empty() || folders.back() != (*o)->name.substr(0, 2)) folders.push_back((*o)->name.substr(0, 2));
    }
    EXPECT_EQ(seen, stored);
    EXPECT_EQ(std::set(folders.begin(), folders.end()).size(), folders.size())
        << "a folder was left and taken up again";
}

TEST_F(disk, a_list_of_many_objects_may_be_left)
{
    for (int i = 0; i < 2000; ++i) {
        const auto name = crypto::sha256_hex(std::to_string(i));
        write(repository / "data" / name.substr(0, 2) / name, "x");
        write(repository / "data" / "00" / ("00" + name.substr(2)), "x");
    }
    for (const int left_after : {0, 1, 2000, 2100, 3000}) {
        auto list = store->list("repo_1", object_type::data);
        ASSERT_TRUE(list);
        for (int i = 0; i < left_after; ++i) ASSERT_TRUE((*list)->next());
    }
}

TEST_F(disk, sweeps_once_and_never_an_upload_of_its_own)
{
    ASSERT_TRUE(store->claim("a test"));
    auto in = store->receive(key_of(object_type::data, "bytes"), 1000);
    ASSERT_TRUE(in);
    ASSERT_TRUE((*in)->write(std::span{"bytes", 5}));
    EXPECT_TRUE(store->ready());
    EXPECT_TRUE(store->claim("a test"));
    EXPECT_TRUE((*in)->commit());
    EXPECT_EQ(get(*store, key_of(object_type::data, "bytes")).value(), "bytes");
}

TEST_F(disk, becomes_ready_when_it_is_mounted_later)
{
    store.reset();
    stdfs::rename(root, folder.path() / "disk");
    stdfs::create_directory(root);
    const auto late = std::move(disk_blob_store::open(*fs, root, "storage_1").value());
    EXPECT_EQ(code(late->claim("a test")), fault_code::repository_unavailable);
    EXPECT_EQ(code(late->ready()), fault_code::repository_unavailable);
    EXPECT_TRUE(stdfs::is_empty(root)) << "no lock on the mount point";
    stdfs::remove(root);
    stdfs::rename(folder.path() / "disk", root);
    EXPECT_TRUE(late->ready());
    EXPECT_EQ(code(os::try_lock(root / "lock", "x")), fault_code::run_locked);
}

TEST_F(disk, an_object_sends_itself_and_is_counted)
{
    traffic_counts counts;
    counting_store counted{*store, counts};
    const auto key = key_of(object_type::data, "0123456789");
    ASSERT_TRUE(put(counted, key, "0123456789"));
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    {
        const auto reader = counted.open(key).value();
        EXPECT_EQ(reader->send_to(ends[0], 2, 5).value(), 5U);
    }
    std::array<char, 16> got{};
    EXPECT_EQ(::read(ends[1], got.data(), got.size()), 5);
    EXPECT_EQ((std::string_view{got.data(), 5}), "23456");
    EXPECT_EQ(counts.all().at({"repo_1", object_type::data}).bytes_read, 5U);
    for (const int end : ends) ::close(end);
}

TEST_F(disk, takes_a_file_in_by_moving_it)
{
    const auto file = folder.path() / "file";
    const auto key = key_of(object_type::data, "bytes");
    write(file, "bytes");
    ASSERT_TRUE(store->take_file(key, file));
    EXPECT_FALSE(stdfs::exists(file));
    EXPECT_EQ(get(*store, key).value(), "bytes");
    EXPECT_TRUE(store->take_file(key, file)) << "an adoption that was cut short goes on";
    EXPECT_EQ(code(store->take_file(key_of(object_type::data, "other"), file)), fault_code::not_found);

    ASSERT_TRUE(put(*store, key_of(object_type::config, "config"), "config"));
    write(file, "another config");
    EXPECT_EQ(code(store->take_file(key_of(object_type::config, "another config"), file)), fault_code::conflict);
    EXPECT_TRUE(stdfs::exists(file));
    EXPECT_EQ(get(*store, key_of(object_type::config, "config")).value(), "config");
}

TEST_F(disk, says_what_to_do_with_a_file_on_another_file_system)
{
    const stdfs::path elsewhere{"/dev/shm"};
    const auto file = elsewhere / ("xentz-test-" + std::to_string(::getpid()));
    write(file, "bytes");
    const auto taken = store->take_file(key_of(object_type::data, "bytes"), file);
    EXPECT_EQ(code(taken), fault_code::conflict);
    EXPECT_NE(taken.error().remedy.find("--copy"), std::string::npos);
    EXPECT_TRUE(stdfs::remove(file));
}

} // namespace
} // namespace xentz::repo::suite
