import { connect } from 'node:net'
import { type Listening, startTowerApi } from '@rockpool/adapters/http'
import type { WatcherMessage } from '@rockpool/protocol'
import {
  appointmentMessage,
  appointmentReceipt,
  getMessage,
  locatorOf,
  messageDigest,
  plainHex,
  recoveryOf,
  registrationReceipt,
  subscriptionMessage,
  toZbase32,
} from '@rockpool/tower'
import {
  aKey,
  aLiveTower,
  aPair,
  readVector,
  sha256,
  TestChain,
  testCrypto,
} from '@rockpool/tower/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

interface Recorded {
  readonly id: string
  readonly status: number | null
  readonly code?: number
  readonly error?: string
  readonly type?: string
  readonly body?: string
  readonly headers: readonly string[]
}

interface Heard {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
  readonly isOpen: boolean
}

const recorded = readVector('http-answers.json') as readonly Recorded[]
const user = aKey(0x11)
const stranger = aKey(0x31)
const towerKey = aKey(0x22)
const userId = plainHex(user.id)
const sign = (who: typeof user, message: Uint8Array) =>
  toZbase32(who.sign(messageDigest(sha256, message)))

let tower: Awaited<ReturnType<typeof aLiveTower>>
let api: Listening

beforeAll(async () => {
  tower = await aLiveTower({ chain: new TestChain(200) })
  api = await open(tower)
  await post('register', register())
  await post('add_appointment', add(pair))
})
afterAll(() => api.close())

function open({ bus, watcher }: typeof tower): Promise<Listening> {
  return startTowerApi({
    ...{ bus, watcher, ip: '127.0.0.1', port: 0, bodyBytesMax: 65_536 },
    onBug(error) {
      throw error
    },
  })
}

/** One request as bytes; hears one answer and whether the connection is still open after it. */
function exchange(raw: string | Uint8Array, at = api.port): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const socket = connect(at, '127.0.0.1', () => socket.write(raw))
    let text = ''
    const finish = (isOpen: boolean) => {
      const end = text.indexOf('\r\n\r\n')
      const [first = '', ...lines] = text.slice(0, end).split('\r\n')
      socket.destroy()
      resolve({
        status: Number(first.split(' ')[1]),
        headers: lines.filter(line => !/^date:/i.test(line)),
        body: text.slice(end + 4),
        isOpen,
      })
    }
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const [, length] = /content-length: (\d+)/i.exec(text) ?? []
      const end = text.indexOf('\r\n\r\n')
      const isHead = String(raw).startsWith('HEAD')
      const has = isHead ? 0 : Number(length)
      if (end !== -1 && text.length >= end + 4 + has)
        // What closes does so at once; nothing more is to come of what stays open.
        setImmediate(() => setImmediate(() => finish(!socket.readableEnded)))
    })
    socket.on('error', reject)
  })
}

interface Ask {
  readonly method?: string
  readonly path?: string
  readonly body?: string
  readonly type?: string | null
  readonly extra?: string
  readonly raw?: string
}

function rawOf({ method = 'POST', path = '/register', body = '', type, extra = '' }: Ask): string {
  const content = type === null ? '' : `content-type: ${type ?? 'application/json'}\r\n`
  return (
    `${method} ${path} HTTP/1.1\r\nhost: tower\r\n${content}${extra}` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

const post = (path: string, body: string) => exchange(rawOf({ path: `/${path}`, body }))
const chunked = (body: string) =>
  'POST /register HTTP/1.1\r\nhost: tower\r\ncontent-type: application/json\r\n' +
  `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

const pair = aPair(1)
type Given = { readonly blob: Uint8Array; readonly dispute: { readonly txid: Uint8Array } }

const register = (id = userId, more = '') => `{"user_id":"${id}"${more}}`

function signatureOf({ dispute, blob }: Given, delay = 42, who = user): string {
  return sign(who, appointmentMessage(locatorOf(dispute.txid), blob, delay))
}

function fields({ dispute, blob }: Given, delay: number | string = 42): string {
  return (
    `{"locator":"${plainHex(locatorOf(dispute.txid))}","encrypted_blob":"${plainHex(blob)}",` +
    `"to_self_delay":${delay}}`
  )
}

function add(what: Given, delay = 42, who = user): string {
  return `{"appointment":${fields(what, delay)},"signature":"${signatureOf(what, delay, who)}"}`
}

function get(what: Given, who = user): string {
  const locator = locatorOf(what.dispute.txid)
  return `{"locator":"${plainHex(locator)}","signature":"${sign(who, getMessage(locator))}"}`
}

const info = (who = user) => `{"signature":"${sign(who, subscriptionMessage)}"}`
const add1 = (body: string): Ask => ({ path: '/add_appointment', body })
const get1 = (body: string): Ask => ({ path: '/get_appointment', body })
const info1 = (body: string): Ask => ({ path: '/get_subscription_info', body })
const withLocator = (hex: string) =>
  `{"appointment":{"locator":"${hex}","encrypted_blob":"${plainHex(pair.blob)}","to_self_delay":42},"signature":"${signatureOf(pair)}"}`

/** The questions as they were asked, by the names of their recorded answers. */
const asked: Readonly<Record<string, Ask>> = {
  'register: good': { body: register() },
  'register: unknown field': { body: register(userId, ',"x":1') },
  'register: spaces and newline after the object': { body: `${register()}  \n` },
  'register: trailing garbage': { body: `${register()}x` },
  'register: body of 88 bytes': { body: register().padEnd(1_025) },
  'register: content-length 0': {},
  'register: chunked body': { raw: chunked(register()) },
  'register: body "" (a string)': { body: '""' },
  'register: body []': { body: '[]' },
  'register: body 1': { body: '1' },
  'register: body abc': { body: 'abc' },
  'register: byte order mark': { body: `\uFEFF${register()}` },
  'register: user_id null': { body: '{"user_id":null}' },
  'register: user_id empty': { body: register('') },
  'register: user_id "00"': { body: register('00') },
  'register: user_id with Z at 65': { body: register(`${userId.slice(0, 65)}Z`) },
  'register: user_id not on the curve': { body: register(`02${'00'.repeat(31)}05`) },
  'register: user_id with 0x': { body: register(`0x${userId.slice(2)}`) },
  'register: content-type with charset': {
    body: register(),
    type: 'application/json; charset=utf-8',
  },
  'register: content-type text/plain': { body: register(), type: 'text/plain' },
  'register: content-type garbage': { body: register(), type: 'garbage' },
  'register: path /register/x': { path: '/register/x', body: register() },
  'register: path /register?a=b': { path: '/register?a=b', body: register() },
  'register: path /Register': { path: '/Register', body: register() },
  'register: GET': { method: 'GET' },
  'register: OPTIONS': { method: 'OPTIONS' },
  'unknown path: POST /nothing': { path: '/nothing', body: '{}' },
  'ping: GET /ping/x': { method: 'GET', path: '/ping/x' },
  'ping: HEAD': { method: 'HEAD', path: '/ping' },
  'no host header': { raw: 'GET /ping HTTP/1.1\r\n\r\n' },
  'header of 20 kB': { method: 'GET', path: '/ping', extra: `x-long: ${'x'.repeat(20_000)}\r\n` },
  'add: the same again': add1(add(pair)),
  'add: unknown user': add1(add(pair, 42, stranger)),
  'add: signature not zbase32': add1(
    `{"appointment":${fields(pair)},"signature":"${'0'.repeat(104)}"}`,
  ),
  'add: signature empty': add1(`{"appointment":${fields(pair)},"signature":""}`),
  'add: signature missing': add1(`{"appointment":${fields(pair)}}`),
  'add: appointment null': add1(`{"appointment":null,"signature":"${signatureOf(pair)}"}`),
  'add: appointment []': add1(`{"appointment":[],"signature":"${signatureOf(pair)}"}`),
  'add: duplicate signature': add1(
    `{"appointment":${fields(pair)},"signature":"y","signature":"${signatureOf(pair)}"}`,
  ),
  'add: unknown fields': add1(`{"more":{"a":1},${add(aPair(2)).slice(1)}`),
  'add: locator and blob in upper case': add1(
    `{"appointment":${fields(pair).replaceAll(/"[0-9a-f]{30,}"/g, hex => hex.toUpperCase())},"signature":"${signatureOf(pair)}"}`,
  ),
  'add: body empty': add1(''),
  'add: locator empty': add1(withLocator('')),
  'add: locator 17 bytes': add1(withLocator('00'.repeat(17))),
  'add: locator empty and signature empty': add1(
    withLocator('').replace(/"signature":"\w+"/, '"signature":""'),
  ),
  'add: locator missing': add1(add(pair).replace(/"locator":"\w+",/, '')),
  'add: to_self_delay missing': add1(add(pair).replace(',"to_self_delay":42', '')),
  'add: encrypted_blob not hex': add1(
    add(pair).replace(/"encrypted_blob":"\w+"/, '"encrypted_blob":"zz"'),
  ),
  'add: to_self_delay -1': add1(add(pair).replace(':42}', ':-1}')),
  'add: to_self_delay 4.2e1': add1(add(pair).replace(':42}', ':4.2e1}')),
  'add: to_self_delay 0': add1(add(aPair(3), 0)),
  'add: blob empty': add1(add({ ...pair, blob: new Uint8Array(0) })),
  'add: blob of 75 bytes': add1(add({ ...pair, blob: new Uint8Array(75) })),
  'add: blob of 914 bytes (body 2048)': add1(add({ ...aPair(4), blob: new Uint8Array(914) })),
  'add: body of 2 MB': add1(`"${'x'.repeat(2_000_000)}"`),
  'add: content-type text/plain': { ...add1(add(pair)), type: 'text/plain' },
  'get: good': get1(get(pair)),
  'get: locator in upper case, signed upper': get1(
    `{"locator":"${plainHex(locatorOf(pair.dispute.txid)).toUpperCase()}","signature":"${sign(
      user,
      new TextEncoder().encode(
        `get appointment ${plainHex(locatorOf(pair.dispute.txid)).toUpperCase()}`,
      ),
    )}"}`,
  ),
  'get: unknown user': get1(get(pair, stranger)),
  'get: signature empty': get1('{"locator":"00112233445566778899aabbccddeeff","signature":""}'),
  'get: locator 15 bytes': get1(`{"locator":"${'00'.repeat(15)}","signature":"y"}`),
  'get: body {}': get1('{}'),
  'get: body ""': get1('""'),
  'subscription: unknown user': info1(info(stranger)),
  'subscription: signature empty': info1('{"signature":""}'),
  'subscription: body ""': info1('""'),
}

/** Where our answer is another on purpose: status, code and text of ours. */
const deliberate: Readonly<Record<string, readonly [number, number?, string?]>> = {
  'register: body of 88 bytes': [413, 6, 'The request payload is too large'],
  'register: chunked body': [200],
  'header of 20 kB': [431, 6, 'The request headers are too large'],
  'add: blob empty': [400, 33, 'Wrong `encrypted_blob` field size. Minimum 76, received 0'],
  'add: blob of 75 bytes': [400, 33, 'Wrong `encrypted_blob` field size. Minimum 76, received 75'],
  'add: body of 2 MB': [413, 34, 'The request payload is too large'],
}

/** The first byte at which a type is wrong depends on lengths of the body; what was asked of us has others in these. */
const otherLengths = new Set([
  'add: duplicate signature',
  'add: to_self_delay -1',
  'add: to_self_delay 4.2e1',
])

describe('tower B111-B136 B274 B277: every recorded question is answered as it was', () => {
  for (const due of recorded.filter(({ id }) => id in asked)) {
    test(due.id, async () => {
      const ask = asked[due.id] ?? {}

      const heard = await exchange(ask.raw ?? rawOf(ask))

      const [status, code, text] = deliberate[due.id] ?? []
      expect(heard.status).toBe(status ?? due.status)
      if (due.id === 'ping: HEAD' || heard.body === '') {
        expect(heard.body).toBe('')
        return
      }
      const names = heard.headers.map(line => line.split(':')[0]?.toLowerCase())
      expect(names.filter(name => name !== 'connection')).toEqual([
        'content-type',
        'content-length',
      ])
      expect(heard.headers[0]).toBe('content-type: application/json')
      const body = JSON.parse(heard.body) as Record<string, unknown>
      if (code !== undefined) return expect(body).toEqual({ error: text, error_code: code })
      if (due.error !== undefined) {
        const whole = { error: due.error, error_code: due.code }
        const cut = ({ error, ...rest }: Record<string, unknown>) => ({
          ...rest,
          error: String(error).replace(/ at line.*/, ''),
        })
        if (otherLengths.has(due.id)) expect(cut(body)).toEqual(cut(whole))
        else expect(body).toEqual(whole)
        return
      }
      if (due.type?.startsWith('text/plain') && status === undefined)
        return expect(body).toEqual({ error: due.body, error_code: 6 })
      const like = status === undefined ? due : recorded.find(({ id }) => id === 'register: good')
      expect(shapeOf(heard.body)).toEqual(shapeOf(like?.body ?? ''))
    })
  }

  test('every recording is asked again, or is of a tower in another state that has tests of its own', () => {
    const others = recorded.map(({ id }) => id).filter(id => !(id in asked))
    expect(others.filter(id => !/^(?:small|cached dispute|body shorter)/.test(id))).toEqual([])
    expect(recorded).toHaveLength(78)
  })
})

/** Names of fields in their order, and what kind each value is; hex of any length is one kind. */
function shapeOf(text: string): unknown {
  const kinds = (value: unknown): unknown => {
    if (Array.isArray(value)) return [...new Set(value.map(each => JSON.stringify(kinds(each))))]
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).map(([name, each]) => [name, kinds(each)])
    if (typeof value !== 'string') return typeof value
    if (/^[ybndrfg8ejkmcpqxot1uwisza345h769]{104}$/.test(value)) return 'signature'
    return /^[0-9a-f]+$/.test(value) ? 'hex' : value
  }
  return kinds(JSON.parse(text))
}

describe('what was recorded of other states', () => {
  test('tower B124 B125 B128 B132: a small subscription fills, ends, is refused by name and comes back after its deletion', async () => {
    const small = await aLiveTower({
      chain: new TestChain(200),
      config: { subscriptionSlots: 2, subscriptionDuration: 5 },
    })
    const door = await open(small)
    const say = async (path: string, body: string) => {
      const { status, body: text } = await exchange(rawOf({ path: `/${path}`, body }), door.port)
      return [status, JSON.parse(text)]
    }
    const expired = { error: 'Your subscription expired at 205', error_code: 7 }

    expect(await say('register', register())).toMatchObject([200, { subscription_expiry: 205 }])
    expect(await say('add_appointment', add(aPair(1)))).toMatchObject([200, { available_slots: 1 }])
    expect(await say('add_appointment', add(aPair(2)))).toMatchObject([200, { available_slots: 0 }])
    expect(await say('add_appointment', add(aPair(3)))).toEqual([
      401,
      { error: 'Invalid signature or user does not have enough slots available', error_code: 7 },
    ])
    for (let count = 0; count < 4; count += 1) await small.mine()
    const [status, before] = await say('get_subscription_info', info())
    expect([status, (before as { locators: unknown[] }).locators.length]).toEqual([200, 2])
    await small.mine()
    expect(await say('get_appointment', get(aPair(1)))).toEqual([401, expired])
    for (let count = 0; count < 5; count += 1) await small.mine()
    expect(await say('get_subscription_info', info())).toEqual([401, expired])
    await small.mine()
    expect(await say('add_appointment', add(aPair(2)))).toMatchObject([401, { error_code: 7 }])
    expect(await say('register', register())).toMatchObject([
      200,
      { available_slots: 2, subscription_start: 211, subscription_expiry: 216 },
    ])
    await door.close()
  })

  test('tower B129 B131 B133: a breach turns the answer into the penalty, a second addition is refused as triggered', async () => {
    const breached = aPair(0x66)
    const [added] = [await post('add_appointment', add(breached))]
    await tower.mine(breached.dispute)

    const read = await post('get_appointment', get(breached))
    const again = await post('add_appointment', add(breached))

    expect(added?.status).toBe(200)
    const shown = (txid: Uint8Array) => plainHex(txid.slice().reverse())
    expect(read.body).toBe(
      `{"appointment":{"dispute_txid":"${shown(breached.dispute.txid)}",` +
        `"penalty_txid":"${shown(breached.penalty.txid)}",` +
        `"penalty_rawtx":"${plainHex(breached.penalty.raw)}"},"status":"dispute_responded"}`,
    )
    expect([again.status, again.body]).toEqual([
      400,
      '{"error":"The provided appointment has already been triggered","error_code":35}',
    ])
    const none = await post('get_appointment', get(aPair(0x67)))
    expect([none.status, none.body]).toEqual([
      404,
      '{"error":"Appointment not found","error_code":36}',
    ])
  })
})

test('tower B124 B127: receipts over HTTP verify under the key of the tower, the second over the text of the signature as it was sent', async () => {
  const what = aPair(0x70)
  const registered = JSON.parse((await post('register', register())).body)
  const { signature, start_block } = JSON.parse((await post('add_appointment', add(what))).body)
  const signer = async (message: Uint8Array, text: string) => {
    const job = recoveryOf(sha256, message, text)
    const [key] = job ? await testCrypto.recoverKeys([job]) : []
    return key && plainHex(key)
  }

  const receipt = registrationReceipt({
    user: user.id,
    slots: registered.available_slots,
    start: registered.subscription_start,
    expiry: registered.subscription_expiry,
  })
  expect(await signer(receipt, registered.subscription_signature)).toBe(plainHex(towerKey.id))
  expect(await signer(appointmentReceipt(signatureOf(what), start_block), signature)).toBe(
    plainHex(towerKey.id),
  )
})

test('tower B275 B276 B278: whatever is wrong with a request, what comes back is JSON with a code of one byte', async () => {
  const oddities = [
    'NONSENSE\r\n\r\n',
    'GET /ping HTTP/9.9\r\n\r\n',
    'POST /register HTTP/1.1\r\nhost: t\r\nexpect: the-unexpected\r\ncontent-length: 2\r\n\r\n{}',
    'CONNECT a:1 HTTP/1.1\r\nhost: t\r\n\r\n',
    'POST /register HTTP/1.1\r\nhost: t\r\ncontent-length: x\r\n\r\n',
    'POST /register HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}',
    rawOf({ body: '{"user_id":'.repeat(40) }),
    rawOf({ body: `{${Array.from({ length: 20 }, (_, at) => `"a${at}":1`).join(',')}}` }),
    rawOf({ body: '{"user_id":"\\ud800"}' }),
    rawOf({ path: '/add_appointment', body: '{"appointment":{"locator":1},"signature":"y"}' }),
    rawOf({
      path: '/delete_appointment',
      body: '{"locator":"00","until":5000000000,"signature":"y"}',
    }),
  ]

  for (const raw of oddities) {
    const heard = await exchange(raw)
    const { error, error_code: code } = JSON.parse(heard.body)
    expect([typeof error, Number.isInteger(code) && code >= 0 && code <= 255]).toEqual([
      'string',
      true,
    ])
  }
})

test('tower B272: while the watcher can take no more the client hears 7, so that he keeps what he has', async () => {
  const watcher = tower.bus.declare<WatcherMessage>('nobody', { capacity: 1 })
  watcher.tell({ type: 'watcher.breaches', reply: { tell() {} } })
  const door = await open({ ...tower, watcher })

  const heard = await exchange(rawOf({ path: '/add_appointment', body: add(pair) }), door.port)
  const registering = await exchange(rawOf({ body: register() }), door.port)
  await door.close()

  expect([heard.status, JSON.parse(heard.body)]).toEqual([
    503,
    { error: 'Service currently unavailable', error_code: 7 },
  ])
  expect([registering.status, JSON.parse(registering.body).error_code]).toEqual([503, 65])
})
