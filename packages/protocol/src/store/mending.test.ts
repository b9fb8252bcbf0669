import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { createMending } from './mending.ts'

/** An engine that keeps account of itself, a disk that is full or not, and a clock. */
function aPlace() {
  const place = { now: 0, isFull: false, refusesOpen: false, order: [] as string[], status: 'open' }
  const mending = createMending({
    engine: {
      get status() {
        return place.status
      },
      async open() {
        place.order.push('open')
        if (place.refusesOpen) throw new Error('IO error: no space left on device')
        place.status = 'open'
      },
      async close() {
        place.order.push('close')
        place.status = 'closed'
      },
    },
    async requireSpace() {
      place.order.push('look')
      if (place.isFull) throw new Error('ENOSPC: no space left on device, write')
    },
    now: () => place.now,
  })
  const write = () =>
    mending.write(async () => {
      place.order.push('write')
      if (place.isFull) throw new Error('IO error: no space left on device')
    })
  return { place, mending, write }
}

test('nothing is written behind a failed write before the database was opened again', async () => {
  const { place, write } = aPlace()
  await write()
  place.isFull = true
  await expect(write()).rejects.toMatchObject({ code: 'store/full' })
  place.isFull = false
  await write()
  await write()

  expect(place.order).toEqual(['write', 'write', 'look', 'close', 'open', 'write', 'write'])
})

test('while the disk is full the database stays open for reading, and is looked at once a second', async () => {
  const { place, mending, write } = aPlace()
  place.isFull = true
  for (const passed of [0, 0, limits.storeMendEveryMs - 1, 1]) {
    place.now += passed
    await expect(write()).rejects.toMatchObject({ code: 'store/full' })
  }

  expect(place.order).toEqual(['write', 'look', 'look'])
  expect(await mending.read(() => place.status)).toBe('open')
})

test('one that could not be opened is opened by a later write', async () => {
  const { place, write } = aPlace()
  place.isFull = true
  await expect(write()).rejects.toThrow()
  Object.assign(place, { isFull: false, refusesOpen: true })
  await expect(write()).rejects.toMatchObject({ code: 'store/full' })
  Object.assign(place, { refusesOpen: false, now: limits.storeMendEveryMs })
  await write()

  expect(place.order).toEqual(['write', 'look', 'close', 'open', 'look', 'open', 'write'])
  expect(place.status).toBe('open')
})

test('it is opened again between reads, never under one', async () => {
  const { place, mending, write } = aPlace()
  place.isFull = true
  await expect(write()).rejects.toThrow()
  place.isFull = false
  let end: () => void = () => {}
  const long = mending.read(
    () =>
      new Promise<string>(resolve => {
        end = () => resolve(place.status)
      }),
  )
  const written = write()
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
  const later = mending.read(() => place.status)
  expect(place.order).toEqual(['write', 'look'])
  end()

  expect(await Promise.all([long, later])).toEqual(['open', 'open'])
  await written
  expect(place.order).toEqual(['write', 'look', 'close', 'open', 'write'])
})
