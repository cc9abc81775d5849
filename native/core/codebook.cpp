// Handles and versions of codebooks: readers keep the version they began with, an update publishes the next.
#include <limits>
#include <new>

#include "core/checks.h"

namespace tessera {
namespace {

// Drops one reference. The caller holds the shelf's mutex.
void release_locked(Shelf *shelf, Version *version) {
  if (--version->references > 0) return;
  shelf->spares.push_back(version);
}

// Frees the shelf after its last handle: nobody else can reach it.
void free_shelf(Shelf *shelf) {
  for (Version *version : shelf->spares) {
    shelf->device->backend->codebook_free(version->impl);
    delete version;
  }
  delete shelf;
}

Version *new_version(Shelf *shelf, ts_report *report) {
  auto *version = new (std::nothrow) Version{};
  if (!version) {
    host_table.fail(report, TS_OUT_OF_MEMORY, "no memory for a codebook's version");
    return nullptr;
  }
  if (shelf->device->backend->codebook_alloc(shelf->device->impl, shelf->k, shelf->d, report, &version->impl) !=
      TS_OK) {
    delete version;
    return nullptr;
  }
  return version;
}

// Fills a version that nobody else sees with codes from device memory.
ts_status fill(Call &call, const Shelf *shelf, Version *version, const float *codes, const char *op) {
  const ts_backend *backend = call.backend();
  begin_write(call, version);
  uint64_t bytes = static_cast<uint64_t>(shelf->k) * static_cast<uint64_t>(shelf->d) * sizeof(float);
  ts_status status = backend->copy(call.impl(), backend->codebook_codes(version->impl), codes, bytes);
  return status == TS_OK ? backend->codebook_pack(call.impl(), version->impl, op) : status;
}

}  // namespace

PinnedVersion::PinnedVersion(const ts_codebook *codebook, const ts_stream *reader)
    : shelf_(codebook->shelf), reader_(reader) {
  {
    std::lock_guard<std::mutex> lock(shelf_->mutex);
    version_ = codebook->current;
    version_->references++;
  }
  auto begin_read = shelf_->device->backend->codebook_begin_read;
  if (reader_ && begin_read) begin_read(reader_->impl, version_->impl);
}

PinnedVersion::~PinnedVersion() {
  auto end_read = shelf_->device->backend->codebook_end_read;
  if (reader_ && end_read) end_read(reader_->impl, version_->impl);
  std::lock_guard<std::mutex> lock(shelf_->mutex);
  release_locked(shelf_, version_);
}

void begin_write(const Call &call, Version *version) {
  if (auto begin = call.backend()->codebook_begin_write) begin(call.impl(), version->impl);
}

Version *take_spare(ts_codebook *codebook, ts_report *report) {
  Shelf *shelf = codebook->shelf;
  {
    std::lock_guard<std::mutex> lock(shelf->mutex);
    if (!shelf->spares.empty()) {
      Version *version = shelf->spares.back();
      shelf->spares.pop_back();
      return version;
    }
  }
  return new_version(shelf, report);
}

void put_back(ts_codebook *codebook, Version *version) {
  std::lock_guard<std::mutex> lock(codebook->shelf->mutex);
  codebook->shelf->spares.push_back(version);
}

void publish(ts_codebook *codebook, Version *version) {
  Shelf *shelf = codebook->shelf;
  std::lock_guard<std::mutex> lock(shelf->mutex);
  version->number = codebook->current->number + 1;
  version->references = 1;
  release_locked(shelf, codebook->current);
  codebook->current = version;
}

}  // namespace tessera

using namespace tessera;

ts_status ts_codebook_open(ts_stream *stream, const ts_tensor *codes, ts_codebook **codebook) {
  TS_STREAM_CALL(call, stream);
  View view;
  if (!call.not_null("codebook", codebook)) return call.status();
  *codebook = nullptr;
  if (!call.tensor("codes", codes, TS_F32, &view) || !call.rank(view, 2) ||
      !call.range("the number of codes", view.dim(0), 1, std::numeric_limits<int32_t>::max()) ||
      !call.range("the dimension of a code", view.dim(1), 1, 65536))
    return call.status();
  auto *handle = new (std::nothrow) ts_codebook{};
  auto *shelf = new (std::nothrow) Shelf{};
  Version *version = nullptr;
  ts_status status = TS_OUT_OF_MEMORY;
  if (handle && shelf) {
    shelf->device = stream->device;
    shelf->k = view.dim(0);
    shelf->d = view.dim(1);
    version = new_version(shelf, call.report());
    status = version ? tessera::fill(call, shelf, version, view.data<const float>(), "codebook_open")
                     : static_cast<ts_status>(call.report()->error.status);
  } else {
    host_table.fail(call.report(), status, "ts_codebook_open: no memory for the handle");
  }
  if (status != TS_OK) {
    if (version) call.backend()->codebook_free(version->impl);
    delete version;
    delete shelf;
    delete handle;
    return status;
  }
  shelf->spares.reserve(4);
  version->number = 1;
  version->references = 1;
  shelf->handles = 1;
  *handle = {shelf, version, false};
  stream->device->children++;
  *codebook = handle;
  return TS_OK;
}

ts_status ts_codebook_close(ts_codebook *codebook, ts_error *error) {
  if (!codebook) return fail(error, TS_INVALID_ARGUMENT, "ts_codebook_close: codebook is NULL");
  Shelf *shelf = codebook->shelf;
  ts_device *device = shelf->device;
  bool last;  // decided under the lock, or two handles closed at once would both free the shelf
  {
    std::lock_guard<std::mutex> lock(shelf->mutex);
    release_locked(shelf, codebook->current);
    last = --shelf->handles == 0;
  }
  delete codebook;
  if (last) free_shelf(shelf);
  device->children--;
  return TS_OK;
}

ts_status ts_codebook_update(ts_stream *stream, ts_codebook *codebook, const ts_tensor *codes) {
  TS_STREAM_CALL(call, stream);
  View view;
  if (!call.codebook(codebook) || !call.tensor("codes", codes, TS_F32, &view) ||
      !call.shape(view, {codebook->shelf->k, codebook->shelf->d}))
    return call.status();
  if (codebook->pinned) return call.fail("codebook is pinned to one version and cannot be updated"), call.status();
  Version *next = take_spare(codebook, call.report());
  if (!next) return static_cast<ts_status>(call.report()->error.status);
  ts_status status = tessera::fill(call, codebook->shelf, next, view.data<const float>(), "codebook_update");
  if (status == TS_OK)
    publish(codebook, next);
  else
    put_back(codebook, next);
  return status;
}

ts_status ts_codebook_pin(const ts_codebook *codebook, ts_codebook **pinned, ts_error *error) {
  if (!codebook || !pinned)
    return fail(error, TS_INVALID_ARGUMENT, "ts_codebook_pin: %s is NULL", codebook ? "pinned" : "codebook");
  *pinned = nullptr;
  auto *handle = new (std::nothrow) ts_codebook{};
  if (!handle) return fail(error, TS_OUT_OF_MEMORY, "ts_codebook_pin: no memory for the handle");
  Shelf *shelf = codebook->shelf;
  {
    std::lock_guard<std::mutex> lock(shelf->mutex);
    *handle = {shelf, codebook->current, true};
    handle->current->references++;
    shelf->handles++;
  }
  shelf->device->children++;
  *pinned = handle;
  return TS_OK;
}

ts_status ts_codebook_describe(const ts_codebook *codebook, ts_codebook_info *info, ts_error *error) {
  if (!codebook || !info)
    return fail(error, TS_INVALID_ARGUMENT, "ts_codebook_describe: %s is NULL", codebook ? "info" : "codebook");
  if (info->struct_size != sizeof *info)
    return fail(error, TS_INVALID_ARGUMENT, "ts_codebook_describe: info.struct_size is %u but must be %zu",
                info->struct_size, sizeof *info);
  PinnedVersion version(codebook);
  info->pinned = codebook->pinned;
  info->codes = codebook->shelf->k;
  info->dim = codebook->shelf->d;
  info->version = version->number;
  info->bytes = codebook->shelf->device->backend->codebook_bytes(version->impl);
  return TS_OK;
}

ts_status ts_codebook_read(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *codes) {
  TS_STREAM_CALL(call, stream);
  View view;
  if (!call.codebook(codebook) || !call.tensor("codes", codes, TS_F32, &view) ||
      !call.shape(view, {codebook->shelf->k, codebook->shelf->d}))
    return call.status();
  PinnedVersion version(codebook, stream);
  return call.backend()->copy(call.impl(), view.data<float>(), call.backend()->codebook_codes(version->impl),
                              view.bytes);
}
