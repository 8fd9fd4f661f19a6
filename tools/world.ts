// The program behind `node launch.mjs world`: whole mail flows in simulated worlds, each from one seed.
import '../test/world/main.ts'
