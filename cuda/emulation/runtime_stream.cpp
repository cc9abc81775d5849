#include "emulation/runtime_stream.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace tessera::emulation {
namespace {

// A GPU does not fall behind without limit either, and each operation holds memory.
constexpr size_t kMostWaiting = 256;

std::mutex queues_mutex;
std::vector<std::weak_ptr<Queue>> queues;
std::set<const CUstream_st *> open_streams;

std::mutex fault_mutex;
std::string fault_text;

}  // namespace

uint64_t Queue::push(std::function<void()> operation) {
  uint64_t number;
  size_t behind;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(std::move(operation));
    number = ++pushed_;
    behind = waiting_.size();
  }
  if (behind > kMostWaiting) run_until(number - kMostWaiting);
  return number;
}

void Queue::run_until(uint64_t number) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (done_ < number) {
    if (running_) {  // another thread is at it
      ran_.wait(lock);
      continue;
    }
    std::function<void()> operation = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = true;
    lock.unlock();
    if (!has_fault()) operation();
    operation = nullptr;
    lock.lock();
    running_ = false;
    done_++;
    ran_.notify_all();
  }
}

void Queue::run_all() {
  uint64_t last;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    last = pushed_;
  }
  run_until(last);
}

bool Queue::has_run(uint64_t number) {
  std::lock_guard<std::mutex> lock(mutex_);
  return done_ >= number;
}

void run_everything() {
  std::vector<std::shared_ptr<Queue>> open;
  {
    std::lock_guard<std::mutex> lock(queues_mutex);
    for (auto &weak : queues)
      if (auto queue = weak.lock()) open.push_back(queue);
  }
  for (auto &queue : open) queue->run_all();
}

void set_fault(const std::string &text) {
  std::lock_guard<std::mutex> lock(fault_mutex);
  if (fault_text.empty()) fault_text = text;
}

bool has_fault() {
  std::lock_guard<std::mutex> lock(fault_mutex);
  return !fault_text.empty();
}

}  // namespace tessera::emulation

using namespace tessera::emulation;

namespace {

cudaError_t status() { return has_fault() ? cudaErrorLaunchFailure : cudaSuccess; }

}  // namespace

const char *cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInitializationError:
      return "cudaErrorInitializationError";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
  }
  return "unrecognized error code";
}

// CUDA says "unspecified launch failure"; the emulator knows more.
const char *cudaGetErrorString(cudaError_t error) {
  static thread_local std::string text;
  text = cudaGetErrorName(error);
  if (error == cudaErrorInitializationError) text = "the emulator needs a processor with AVX2, BMI2 and FMA";
  if (error == cudaErrorLaunchFailure) {
    std::lock_guard<std::mutex> lock(fault_mutex);
    text = fault_text;
  }
  return text.c_str();
}

cudaError_t cudaGetLastError() { return status(); }

cudaError_t cudaDeviceSynchronize() {
  run_everything();
  return status();
}

// Drops what waits, and the fault.
cudaError_t cudaDeviceReset() {
  run_everything();
  std::lock_guard<std::mutex> lock(fault_mutex);
  fault_text.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
  *stream = new CUstream_st;
  std::lock_guard<std::mutex> lock(queues_mutex);
  queues.erase(std::remove_if(queues.begin(), queues.end(), [](auto &queue) { return queue.expired(); }), queues.end());
  queues.push_back((*stream)->queue);
  open_streams.insert(*stream);
  return status();
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  stream->queue->run_all();
  {
    std::lock_guard<std::mutex> lock(queues_mutex);
    open_streams.erase(stream);
  }
  delete stream;
  return status();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  stream->queue->run_all();
  return status();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (std::shared_ptr<Mark> mark = event->mark) stream->queue->push([mark] { mark->queue->run_until(mark->number); });
  return status();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
  *event = new CUevent_st;
  return status();
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return status();
}

// A handle that is no open stream is refused; CUDA does so for streams of another device, and for most that are closed.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  {
    std::lock_guard<std::mutex> lock(queues_mutex);
    if (!open_streams.count(stream)) return cudaErrorInvalidResourceHandle;
  }
  auto mark = std::make_shared<Mark>();
  mark->queue = stream->queue;
  mark->number = stream->queue->push([mark] { mark->time = std::chrono::steady_clock::now(); });
  event->mark = mark;
  return status();
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->mark) event->mark->queue->run_until(event->mark->number);
  return status();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (event->mark && !event->mark->queue->has_run(event->mark->number)) return cudaErrorNotReady;
  return status();
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end) {
  if (!start->mark || !end->mark) return cudaErrorInvalidResourceHandle;
  if (cudaEventQuery(start) == cudaErrorNotReady || cudaEventQuery(end) == cudaErrorNotReady) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(end->mark->time - start->mark->time).count();
  return status();
}
