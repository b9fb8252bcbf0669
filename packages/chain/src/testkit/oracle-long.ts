/** Compares a long made-up chain with EthereumJS: `node --import tsx --conditions=@rockpool/source oracle-long.ts [blocks] [seed]`. */
import { compareWithOracle } from './comparison.ts'

const blocks = Number(process.argv[2] ?? 500)
const seed = Number(process.argv[3] ?? 1)
const started = process.cpuUsage()
const { differences, ...counts } = await compareWithOracle({ seed, blocks })
const { user, system } = process.cpuUsage(started)
console.log(
  JSON.stringify({
    seed,
    ...counts,
    differences: differences.length,
    cpuMs: (user + system) / 1000,
  }),
)
for (const difference of differences.slice(0, 20)) console.log(difference)
if (differences.length > 0) process.exitCode = 1
