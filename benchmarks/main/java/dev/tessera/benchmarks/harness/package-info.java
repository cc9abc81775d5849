/**
 * How two libraries are compared fairly: each works in a process of its own ({@link
 * dev.tessera.benchmarks.harness.TaskServer}), driven by one parent that first compares their
 * answers ({@link dev.tessera.benchmarks.harness.Agreement}) and then lets them work in alternation
 * ({@link dev.tessera.benchmarks.harness.Contest}). Processes of their own, since two libraries in
 * one would share the OpenMP runtime that was loaded first, its threads and its settings.
 */
@NullMarked
package dev.tessera.benchmarks.harness;

import org.jspecify.annotations.NullMarked;
