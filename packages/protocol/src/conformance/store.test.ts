import { describe, expect, test } from 'vitest'
import { MemoryStore } from './memory-store.ts'
import { storeSuite } from './store.ts'

describe('store in memory', () => {
  storeSuite({ test, expect }, () => {
    const [store, other] = [new MemoryStore(), new MemoryStore()]
    return { store, other, close: () => store.close() }
  })
})
