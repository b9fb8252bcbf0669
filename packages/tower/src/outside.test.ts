import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { recovered, v1 } from './testkit/examples.ts'
import {
  createTowerClient,
  hex,
  join,
  locatorOf,
  publicKey,
  recoverMessage,
  sealFor,
  signMessage,
  towerAddress,
  u32be,
  unhex,
  unzbase32,
} from './testkit/outside/index.ts'

const folder = new URL('./testkit/outside/', import.meta.url)
const ascii = (text: string) => new Uint8Array(Buffer.from(text))
const userSecret = new Uint8Array(32).fill(0x11)
const towerSecret = new Uint8Array(32).fill(0x22)

test('the client of the tests takes nothing from the tower', () => {
  const foreign = readdirSync(folder).flatMap(name =>
    [...readFileSync(new URL(name, folder), 'utf8').matchAll(/from '([^']+)'/g)].flatMap(
      ([, from = '']) => (/^(?:\.\/|node:|@noble\/)/.test(from) ? [] : [`${name} ${from}`]),
    ),
  )
  expect(foreign).toEqual([])
})

describe('the client reproduces what others have published', () => {
  test('tower V3 V5: signatures recover to their keys', () => {
    for (const [message, signature, key] of recovered)
      expect(recoverMessage(ascii(message), signature)).toBe(key)
  })

  test('tower V4 V5: the same bytes are signed', () => {
    const v4 = unhex('24e9a981580d27d9277071a8381542e89a7c124868c4e862a13595dc75c6922f')

    expect(hex(publicKey(v4))).toBe(
      '0235293db86c6aaa74aff69ebacad8471d5242901ea9f6a0341a8dca331875e62c',
    )
    expect(signMessage(v4, ascii('Test message'))).toBe(
      'd7kg5hdwsqgrzmbthcwjm3fqnrhni1qru9rh6hstr8rqhjdmtwbkszd11tobcmk1kiojbegyrxeot9yy7378daofptdahgxu1yknrz9p',
    )
    expect(signMessage(new Uint8Array(32).fill(1, 31), ascii('test message'))).toBe(
      'd9tibmnic9t5y41hg7hkakdcra94akas9ku3rmmj4ag9mritc8ok4p5qzefs78c9pqfhpuftqqzhydbdwfg7u6w6wdxcqpqn4sj4e73e',
    )
  })

  test('tower V6: a real receipt is of the tower that gave it', () => {
    const user =
      'd7efykp63dy69jrtc3r65pssbdhp4335etq3jap1zqk135qmrtyhr8ghbdhw8y8f7nsjgmm9eoyhsfj6yugzq1bu657frmwwrudr9gpt'
    const receipt =
      'rd41nsmhtjsawhc9pta1p5na7kmsyk48xttjy4bt3tbkbajboyzfq6mpamkjixs1w7qotocwjg3sxnbzg6uduec4cnahhkmctgddjn8w'

    expect(recoverMessage(join(ascii(user), u32be(391)), receipt)).toBe(
      '02bd2b759dd8a4fcef0f7d9692c105da8400d5da7942ee039e869fbfb8738ffde4',
    )
  })

  test('tower V1 V7: a whole session has the bytes of the other implementation', () => {
    const dispute = unhex(v1.disputeShown).reverse()
    const locator = locatorOf(dispute)
    const blob = sealFor(dispute, unhex(v1.plain))
    const signature = signMessage(userSecret, join(locator, blob, u32be(42)))

    expect([hex(locator), hex(blob)]).toEqual([v1.locator, v1.blob])
    expect(signature).toBe(
      'rb5rkqxkqak3y15itr5rnmxfsqe7ncwpem5drbsj56z6hrzjr8thwswyg3ztxs46xn99ak5kiexb56iuwf548rzjr4zzmnwzq1kg9eq4',
    )
    expect(signMessage(towerSecret, join(ascii(signature), u32be(100)))).toBe(
      'rn6ps8t8eibe8dsgcgot8yxp7w5khnbht4kj7ixyhexdnewp9oqx4x41xmsqr7s89ws6bdnzxiytzhaqosapndg6ooyrbapnq9utzji1',
    )
    const registration = join(publicKey(userSecret), u32be(10_000), u32be(100), u32be(4_420))
    expect(signMessage(towerSecret, registration)).toBe(
      'rdyjdyd94r4i6gjrihd8n9jxr6tbq7padkrehsdcmbtecq73j64ec74pxuyp93uw9o9rnj79377qwyg4dfqs73hkpz5d474m7yfykd6u',
    )
  })

  test('tower V10: what no encoder writes is refused', () => {
    const good = signMessage(userSecret, ascii('x'))
    expect(unzbase32(good.toUpperCase())).toEqual(unzbase32(good))
    for (const bad of [good.slice(0, -1), `${good}y`, good.replace(/./, '0')])
      expect(() => unzbase32(bad)).toThrow()
  })
})

test('tower B177 B178 B179 B183: a tower is named with or without its place', () => {
  const id = '02'.padEnd(66, 'a')
  expect(towerAddress(id)).toEqual({ id, host: 'localhost', port: 9_814 })
  expect(towerAddress(`${id}@tower`)).toEqual({ id, host: 'tower', port: 9_814 })
  expect(towerAddress(`${id}@tower:1`)).toEqual({ id, host: 'tower', port: 1 })
  for (const other of ['', 'tower', `${id}@`, `${id}@tower:x`])
    expect(() => towerAddress(other)).toThrow('is no')
})

describe('what a client makes of its towers', () => {
  const open: Server[] = []
  afterEach(async () => {
    for (const server of open.splice(0)) await new Promise(resolve => server.close(resolve))
  })

  /** A tower that says what it is told, once a request; the last for ever. */
  async function saying(...answers: readonly string[]) {
    const said = [...answers]
    let renewals = 0
    const server = createServer((request, response) => {
      if (request.url === '/register') {
        renewals += 1
        const [slots, expiry] = [renewals * 100, 100 + renewals]
        const receipt = join(publicKey(userSecret), u32be(slots), u32be(100), u32be(expiry))
        return response.end(
          JSON.stringify({
            ...{ user_id: hex(publicKey(userSecret)), available_slots: slots },
            ...{ subscription_start: 100, subscription_expiry: expiry },
            subscription_signature: signMessage(towerSecret, receipt),
          }),
        )
      }
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { signature } = JSON.parse(Buffer.concat(chunks).toString()) as { signature: string }
        const next = said.length > 1 ? said.shift() : said[0]
        const key = next === 'forged' ? userSecret : towerSecret
        const good = JSON.stringify({
          ...{ locator: '00', start_block: 100, available_slots: 99, subscription_expiry: 200 },
          signature: signMessage(key, join(ascii(signature), u32be(100))),
        })
        response.end(next === 'good' || next === 'forged' ? good : next)
      })
    })
    open.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const address = { id: hex(publicKey(towerSecret)), host: '127.0.0.1', port }
    const client = createTowerClient(userSecret)
    await client.register(address)
    const tower = () => {
      const found = client.towers.get(address.id)
      if (found === undefined) throw new Error('no tower')
      return found
    }
    let states = 0
    const revoke = () => {
      states += 1
      return client.revoke({
        disputeTxid: new Uint8Array(32).fill(states),
        penalty: new Uint8Array(60),
      })
    }
    return { client, tower, revoke, address }
  }

  test('tower B188 B194 B200 B201: a receipt of its key leaves it reachable', async () => {
    const { tower, revoke } = await saying('good')
    await revoke()
    expect([tower().status, tower().receipts.size, tower().pending.size]).toEqual([
      'reachable',
      1,
      0,
    ])
  })

  test('tower B191 B199 B207 B213: a receipt of another key ends all trust and is kept as proof', async () => {
    const { client, tower, revoke } = await saying('forged')
    await revoke()
    expect([tower().status, tower().proof?.recovered]).toEqual(['misbehaving', client.userId])
    await revoke()
    expect([tower().receipts.size, tower().pending.size]).toEqual([0, 0])
  })

  test('tower B192 B209 B215: after 7 it registers again and sends what it kept', async () => {
    const { client, tower, revoke } = await saying('{"error":"no","error_code":7}', 'good')
    await revoke()
    expect([tower().status, tower().pending.size]).toEqual(['subscription_error', 1])
    expect(await client.retry(tower(), { withinMs: 1_000, firstPauseMs: 1 })).toBe('reachable')
    expect([tower().pending.size, tower().slots]).toEqual([0, 99])
  })

  test('tower B202 B206 B216: every other number gives the appointment up and keeps the tower', async () => {
    const { tower, revoke } = await saying('{"error":"no","error_code":32}', 'good')
    await revoke()
    await revoke()
    expect([tower().status, tower().invalid.size, tower().receipts.size]).toEqual([
      'reachable',
      1,
      1,
    ])
  })

  test('tower B189 B190 B205 B214: what is no JSON, or nobody, is tried again and then left', async () => {
    const { client, tower, revoke } = await saying('<html>')
    await revoke()
    expect(tower().status).toBe('temporary_unreachable')
    expect(await client.retry(tower(), { withinMs: 5, firstPauseMs: 2 })).toBe('unreachable')
    expect(tower().pending.size).toBe(1)
  })

  test('tower B203 B208 B217: who is abandoned is forgotten, and nobody else', async () => {
    const { client, address } = await saying('good')
    client.abandon(address.id)
    expect(client.towers.size).toBe(0)
    expect(() => client.abandon(address.id)).toThrow('unknown tower')
  })
})
