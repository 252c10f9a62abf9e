#include "worker/mailbox.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <type_traits>

#include "common/platform/fd_passing.h"

namespace restgate::worker {
namespace {

constexpr uint32_t kMagic = 0x52475031;  // "RGP1"
/// More bytes than these travel in a memory file rather than in the queue.
constexpr size_t kInline = 16 * 1024;
/// No honest sender has read more than two buffers.
constexpr uint32_t kMostBytes = 4U << 20U;

struct ParcelHead {
  uint32_t magic = kMagic;
  ParcelKind kind = ParcelKind::Fresh;
  bool in_file = false;  ///< the last descriptor is a memory file with the bytes
  TunnelEnd client_end;
  TunnelEnd backend_end;
  uint32_t from_client = 0;
  uint32_t from_backend = 0;
  ClientFacts facts;
};
static_assert(std::is_trivially_copyable_v<ParcelHead>);

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

UniqueFd file_of(const Parcel& parcel) {
  UniqueFd file(memfd_create("restgate-parcel", MFD_CLOEXEC));
  if (file && (!write_all(file.get(), parcel.from_client) || !write_all(file.get(), parcel.from_backend))) file.reset();
  return file;
}

bool read_all(int fd, std::string& to, off_t from) {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t n = ::pread(fd, to.data() + done, to.size() - done, from + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

/// The bytes of `head`'s parcel, from the record behind the head or from the memory file.
bool open_bytes(const ParcelHead& head, std::string_view behind, const UniqueFd& file, Parcel& parcel) {
  if (head.from_client > kMostBytes || head.from_backend > kMostBytes) return false;
  parcel.from_client.resize(head.from_client);
  parcel.from_backend.resize(head.from_backend);
  if (head.in_file) {
    return file && read_all(file.get(), parcel.from_client, 0) &&
           read_all(file.get(), parcel.from_backend, static_cast<off_t>(head.from_client));
  }
  if (behind.size() != size_t{head.from_client} + head.from_backend) return false;
  std::memcpy(parcel.from_client.data(), behind.data(), head.from_client);
  std::memcpy(parcel.from_backend.data(), behind.data() + head.from_client, head.from_backend);
  return true;
}

bool open_parcel(const ParcelHead& head, std::string_view behind, platform::PassedFds& fds, Parcel& parcel) {
  if (head.magic != kMagic || head.facts.address_size > head.facts.address.size()) return false;
  const bool tunnel = head.kind == ParcelKind::Tunnel;
  if (!tunnel && head.kind != ParcelKind::Fresh && head.kind != ParcelKind::Client) return false;
  parcel.kind = head.kind;
  parcel.facts = head.facts;
  parcel.client_end = head.client_end;
  parcel.backend_end = head.backend_end;
  parcel.client = std::move(fds[0]);
  parcel.backend = tunnel ? std::move(fds[1]) : UniqueFd();
  if (!parcel.client || (tunnel && !parcel.backend)) return false;
  return open_bytes(head, behind, fds[tunnel ? 2 : 1], parcel);
}

}  // namespace

Result<std::array<UniqueFd, 2>> make_mailbox() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    return system_error("cannot make a mailbox", errno);
  return std::array<UniqueFd, 2>{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

bool put(int mailbox_in, const Parcel& parcel) {
  ParcelHead head;
  std::memset(static_cast<void*>(&head), 0, sizeof head);  // no stack bytes in the padding
  head.magic = kMagic;
  head.kind = parcel.kind;
  head.client_end = parcel.client_end;
  head.backend_end = parcel.backend_end;
  head.from_client = static_cast<uint32_t>(parcel.from_client.size());
  head.from_backend = static_cast<uint32_t>(parcel.from_backend.size());
  head.facts = parcel.facts;
  head.in_file = parcel.from_client.size() + parcel.from_backend.size() > kInline;

  std::array<int, platform::kMaxPassed> fds{};
  size_t fd_count = 0;
  fds[fd_count++] = parcel.client.get();
  if (parcel.kind == ParcelKind::Tunnel) fds[fd_count++] = parcel.backend.get();
  std::array<iovec, 3> pieces{{{&head, sizeof head}, {}, {}}};
  size_t piece_count = 1;
  UniqueFd file;
  if (head.in_file) {
    file = file_of(parcel);
    if (!file) return false;
    fds[fd_count++] = file.get();
  } else {
    pieces[piece_count++] = {const_cast<char*>(parcel.from_client.data()), parcel.from_client.size()};
    pieces[piece_count++] = {const_cast<char*>(parcel.from_backend.data()), parcel.from_backend.size()};
  }
  return platform::send_record(mailbox_in, {pieces.data(), piece_count}, {fds.data(), fd_count}) > 0;
}

Taken take(int mailbox_out, Parcel& parcel) {
  std::array<char, sizeof(ParcelHead) + kInline> record;
  platform::PassedFds fds;
  const ssize_t n = platform::receive_record(mailbox_out, record, fds);
  if (n <= 0) return Taken::Nothing;
  if (static_cast<size_t>(n) < sizeof(ParcelHead) || static_cast<size_t>(n) > record.size()) return Taken::Spoiled;
  ParcelHead head;
  std::memcpy(static_cast<void*>(&head), record.data(), sizeof head);
  const std::string_view behind(record.data() + sizeof head, static_cast<size_t>(n) - sizeof head);
  return open_parcel(head, behind, fds, parcel) ? Taken::Parcel : Taken::Spoiled;
}

}  // namespace restgate::worker
