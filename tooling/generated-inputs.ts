import { configureGlobal } from 'fast-check'

/**
 * Generated inputs are the same in every run, so that a change is judged by what it changes. FAST_CHECK_SEED takes another number for looking further:
 * what it finds becomes an example in the test.
 */
configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_300_101) })
