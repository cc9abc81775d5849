package dev.tessera.benchmarks.results;

import dev.tessera.benchmarks.harness.Summary;
import org.jspecify.annotations.Nullable;

/**
 * One contestant's part of a case.
 *
 * @param name of the contestant; the first of a case is ours
 * @param form how it does the work
 * @param time of a step or call, in the case's unit
 * @param ratio its time over ours, one a round; null for ours, and where forks do not alternate
 * @param agreement what was compared before anything was timed; empty if there is nothing to
 *     compare
 * @param extraBytes taken beyond inputs, outputs and state, or null if that was not counted
 * @param source the file that does the work, from the repository's root
 */
public record Entry(
    String name,
    String form,
    Summary time,
    @Nullable Summary ratio,
    String agreement,
    @Nullable Long extraBytes,
    String source) {}
