// Loaded before each test file where CI is set: one seed for all property tests, so that a run that fails can be
// repeated. Everywhere else they look in new places each time.
import fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_124 })
