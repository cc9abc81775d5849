/**
 * Programs that compare this library with others. What a comparison needs is in {@code harness};
 * the work that is compared in one package a subject, and the peers' forms of it in the module
 * {@code benchmarks/peers}.
 */
@NullMarked
package dev.tessera.benchmarks;

import org.jspecify.annotations.NullMarked;
