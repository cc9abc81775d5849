package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.TaskProcess;

/**
 * Who takes part in a case.
 *
 * @param name for the table
 * @param task of its process
 * @param command that starts the process
 * @param source the file that does the work, from the repository's root
 * @param searches whether it has codes to compare
 * @param countsMemory whether its allocations can be counted
 */
public record Contestant(
    String name,
    String task,
    TaskProcess.Command command,
    String source,
    boolean searches,
    boolean countsMemory) {}
