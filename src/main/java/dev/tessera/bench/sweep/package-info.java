/**
 * {@code tessera bench sweep}: every kernel family on shapes from small to large. A family is
 * chosen by the environment variable {@code TESSERA_KERNEL}, so each works in a process of its own
 * ({@link FamilyServer}); the processes are asked in turn, so that clocks and neighbours are the
 * same for all.
 */
@NullMarked
package dev.tessera.bench.sweep;

import org.jspecify.annotations.NullMarked;
