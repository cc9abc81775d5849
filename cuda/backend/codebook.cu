#include <cstring>
#include <new>

#include "backend/carver.h"
#include "backend/codebook.h"
#include "backend/ops.h"
#include "kernels/codebook.cuh"

namespace tessera::cuda {

Codebook::~Codebook() {
  device->use();
  for (Reader &reader : readers_) cudaEventDestroy(reader.event);
  if (packed_) cudaEventDestroy(packed_);
}

ts_status Codebook::open(ts_report *report) {
  TS_TRY(TS_CUDA(report, device->use()));
  TS_TRY(TS_CUDA(report, cudaEventCreateWithFlags(&packed_, cudaEventDisableTiming)));
  return memory_.reserve(device, layout(nullptr).bytes, report, "a codebook");
}

Codebook::Layout Codebook::layout(std::byte *base) const {
  Carver carve{base};
  Layout l{};
  l.codes = carve.take<float>(k * d);
  l.packed = carve.take<uint4>(int64_t{panels()} * kPanel * family->units(d));
  l.mean = carve.take<float>(d);
  l.half_norm = carve.take<float>(int64_t{panels()} * kPanel);
  l.terms = carve.take<PanelTerms>(panels());
  l.mean64 = carve.take<double>(d);
  l.spread = carve.take<Spread>(1);
  l.bytes = carve.used;
  return l;
}

CodebookView Codebook::view() const {
  const Layout l = layout(memory_.as<std::byte>());
  return {l.codes, l.packed, l.mean, l.half_norm, l.terms, l.spread, k, d, panels(), family->units(d)};
}

ts_status Codebook::pack(Stream *s) {
  const Layout l = layout(memory_.as<std::byte>());
  TS_TRY(TS_CUDA(s->report, cudaMemsetAsync(l.spread, 0, sizeof(Spread), s->cuda)));
  TS_TRY(TS_CUDA(s->report, cudaMemsetAsync(l.terms, 0, static_cast<size_t>(panels()) * sizeof(PanelTerms), s->cuda)));
  TS_TRY(TS_LAUNCH_ON(s, "codebook", mean_codes, static_cast<unsigned>(ceil_div<int64_t>(d, kMeanColumns)),
                      kMeanThreads, shared_bytes<double>(kMeanThreads), l.codes, k, d, l.mean64, l.spread));
  TS_TRY(TS_LAUNCH_ON(s, "codebook", spread_codes, static_cast<unsigned>(ceil_div<int64_t>(k, kCodebookWarps)),
                      kCodebookThreads, 0, l.codes, k, d, l.mean64, l.spread));
  TS_TRY(family->pack(s, view(), {l.mean64, l.mean, l.packed, l.half_norm, l.terms, l.spread}));
  const PanelBound bound = {family->bound(d).constant, cpu::vq::fp32_bound(d).constant};
  return TS_LAUNCH_ON(s, "codebook", bound_panels, static_cast<unsigned>(ceil_div(panels(), kCodebookThreads)),
                      kCodebookThreads, 0, bound, panels(), l.terms, l.spread);
}

void Codebook::begin_read(Stream *stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  cudaStreamWaitEvent(stream->cuda, packed_, 0);
}

void Codebook::end_read(Stream *stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  Reader *slot = nullptr;
  for (Reader &reader : readers_)
    if (reader.stream == stream->cuda) slot = &reader;
  // Streams come and go, so a read that is over gives its event up.
  for (size_t i = 0; !slot && i < readers_.size(); i++)
    if (cudaEventQuery(readers_[i].event) == cudaSuccess) slot = &readers_[i];
  if (!slot) {
    Reader reader{};
    if (cudaEventCreateWithFlags(&reader.event, cudaEventDisableTiming) != cudaSuccess) {
      cudaStreamSynchronize(stream->cuda);  // then the read is over now
      return;
    }
    readers_.push_back(reader);
    slot = &readers_.back();
  }
  slot->stream = stream->cuda;
  cudaEventRecord(slot->event, stream->cuda);
}

void Codebook::begin_write(Stream *stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (Reader &reader : readers_) cudaStreamWaitEvent(stream->cuda, reader.event, 0);
}

void Codebook::packed(Stream *stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  cudaEventRecord(packed_, stream->cuda);
}

ts_status codebook_alloc(void *device, int64_t k, int64_t d, ts_report *report, void **codebook) {
  auto *dev = static_cast<Device *>(device);
  TS_TRY(TS_CUDA(report, dev->use()));
  const Family *family = nullptr;
  TS_TRY(choose_family(dev, d, report, &family));
  auto *book = new (std::nothrow) Codebook(dev, family, k, d);
  if (!book) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for a codebook");
  ts_status status = book->open(report);
  if (status != TS_OK) {
    delete book;
    return status;
  }
  *codebook = book;
  return TS_OK;
}

void codebook_free(void *codebook) { delete static_cast<Codebook *>(codebook); }

float *codebook_codes(const void *codebook) { return static_cast<const Codebook *>(codebook)->codes(); }

uint64_t codebook_bytes(const void *codebook) { return static_cast<const Codebook *>(codebook)->bytes(); }

ts_status codebook_pack(void *stream, void *codebook, const char *op) {
  Stream *s = Stream::of(stream);
  auto *book = static_cast<Codebook *>(codebook);
  // Opening and updating promise that a bad version is never published, so they wait to know. A step of training does
  // not: its fault is reported with the next result that is read.
  const bool answers_now = strcmp(op, "vq_ema_update") != 0;
  if (answers_now) TS_TRY(s->faults.collect_earlier());
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_NONFINITE_CODE, op, &fault));
  int64_t count = book->k * book->d;
  TS_TRY(TS_LAUNCH_ON(s, "codebook", check_codes, s->blocks(ceil_div<int64_t>(count, kCodebookThreads), 6),
                      kCodebookThreads, 0, book->codes(), count, book->d, fault));
  TS_TRY(book->pack(s));
  book->packed(s);
  return answers_now ? s->faults.collect_own() : TS_OK;
}

void codebook_begin_read(void *stream, const void *codebook) {
  static_cast<Codebook *>(const_cast<void *>(codebook))->begin_read(Stream::of(stream));
}

void codebook_end_read(void *stream, const void *codebook) {
  static_cast<Codebook *>(const_cast<void *>(codebook))->end_read(Stream::of(stream));
}

void codebook_begin_write(void *stream, void *codebook) {
  static_cast<Codebook *>(codebook)->begin_write(Stream::of(stream));
}

}  // namespace tessera::cuda
