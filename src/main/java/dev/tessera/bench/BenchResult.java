package dev.tessera.bench;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code tessera bench assign|quantize|update --json} prints. Times are medians over rounds
 * and all that a caller pays; with one thread its processor time, see {@link Stopwatch}.
 *
 * @param op assign, quantize or update
 * @param device by name
 * @param kernel the family that ran
 * @param n rows
 * @param k codes
 * @param d length of both
 * @param threads of the stream
 * @param seconds of a call
 * @param gflops 2 N K D / seconds (update: N D additions / seconds), in 10^9
 * @param fp32PeakGflops the threads' peak with their best instructions, in the same rounds
 * @param ratioToFp32Peak gflops over it
 * @param sgemmGflops 2 N K D over the seconds of a matrix product of that shape, in the same rounds
 * @param ratioToSgemm gflops over it
 * @param candidatesPerRow codes left after all screening
 * @param rescoredRows rows with more than one left, decided in float64
 * @param scannedRows rows that took a full float64 scan
 * @param mismatchesVsFloat64 rows whose code is not the contract's
 * @param rowsChecked rows that were compared: all, if that takes seconds
 * @param outputMismatches elements written beside the codes that are not, bit for bit, those of
 *     plain arithmetic in the header's order; null if nothing else is written
 * @param peakExtraBytes memory taken beyond arguments, outputs and codebook: the stream's scratch
 * @param codebookBytes codes and what is packed from them
 * @param avx2PeakGflops the peak of 256-bit vectors, if the family is AVX2's
 * @param ratioToAvx2Peak gflops over it
 * @param assignSeconds of the search alone, in the same rounds, for quantize
 * @param ratioToAssign seconds over it
 * @param secondsQuartiles first quartile, median and third quartile of seconds
 * @param wallSeconds of a call by the clock on the wall; longer than seconds if others had the
 *     processor in between
 * @param repeats rounds of measurements
 * @param thrownAway measurements that were repeated because others had the processor
 * @param timeLost share of wallSeconds in which the calling thread had no processor even so
 * @param candidatesHistogram rows by codes left after screening; the last is for all above
 * @param data where rows and codes are from
 * @param cpu model of the device
 * @param instructionSets of the device
 * @param version of Tessera
 */
public record BenchResult(
    Op op,
    String device,
    String kernel,
    int n,
    int k,
    int d,
    int threads,
    double seconds,
    double gflops,
    double fp32PeakGflops,
    double ratioToFp32Peak,
    double sgemmGflops,
    double ratioToSgemm,
    double candidatesPerRow,
    long rescoredRows,
    long scannedRows,
    long mismatchesVsFloat64,
    long rowsChecked,
    @Nullable Long outputMismatches,
    long peakExtraBytes,
    long codebookBytes,
    @Nullable Double avx2PeakGflops,
    @Nullable Double ratioToAvx2Peak,
    @Nullable Double assignSeconds,
    @Nullable Double ratioToAssign,
    List<Double> secondsQuartiles,
    double wallSeconds,
    int repeats,
    int thrownAway,
    double timeLost,
    List<Long> candidatesHistogram,
    String data,
    String cpu,
    String instructionSets,
    String version) {}
