import fc from 'fast-check';

/**
 * The seed of every property test. Fixed, so that a change is judged by the same cases each time; `FC_SEED=random` explores
 * new ones, and `FC_SEED=n` repeats a run that has failed (its report names the seed).
 */
const given = process.env['FC_SEED'] ?? '20261';
fc.configureGlobal(given === 'random' ? {} : { seed: Number(given) });
