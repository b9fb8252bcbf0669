import { openDatabase } from './database.ts'

/**
 * Program of the kill test: writes numbered batches and prints each number once it is acknowledged, until it is killed.
 * Arguments: directory, policy, first number.
 */
const [path = '', policy = 'put', first = '0'] = process.argv.slice(2)
const database = await openDatabase(path)
const store = database.room('kill')
const batchSize = policy === 'put' ? 1 : 10
const writers = policy === 'group' ? 8 : 1
let next = Number(first)

async function write(): Promise<void> {
  for (;;) {
    const number = next++
    const writes = Array.from({ length: batchSize }, (_, index) => ({
      type: 'put' as const,
      key: Uint8Array.of(number >>> 16, number >>> 8, number, index),
      value: new Uint8Array(250).fill(number),
    }))
    await store.batch(writes, { sync: policy !== 'put' })
    process.stdout.write(`${number}\n`)
  }
}
await Promise.all(Array.from({ length: writers }, write))
