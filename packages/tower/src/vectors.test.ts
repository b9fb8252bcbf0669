import { concatBytes, fromHex } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseBlock, parseTransaction, reversed } from './bitcoin.ts'
import { openBitcoinBlob } from './blob.ts'
import {
  appointmentMessage,
  appointmentReceipt,
  deleteMessage,
  getMessage,
  keyOf,
  locatorOf,
  messageDigest,
  plainHex,
  recoveryOf,
  registrationReceipt,
  subscriptionMessage,
  uuidOf,
} from './signing.ts'
import { aKey, hex, readVector, sha256, testCrypto } from './testkit/crypto.ts'
import { recovered, v1, v8 } from './testkit/examples.ts'
import { fromZbase32, toZbase32 } from './zbase32.ts'

const text = (message: string) => new TextEncoder().encode(message)
const sign = (secret: number | Uint8Array, message: Uint8Array) =>
  toZbase32(aKey(secret).sign(messageDigest(sha256, message)))

async function signer(message: Uint8Array, signature: string): Promise<string | undefined> {
  const job = recoveryOf(sha256, message, signature)
  const [key] = job ? await testCrypto.recoverKeys([job]) : []
  return key && plainHex(key)
}

describe('the published examples', () => {
  test('tower V1 B174: locator, key and blob come out both ways', () => {
    const txid = reversed(hex(v1.disputeShown))

    expect(plainHex(locatorOf(txid))).toBe(v1.locator)
    expect(plainHex(locatorOf(hex(v1.disputeShown)))).toBe(v1.locatorOfShown)
    expect(plainHex(keyOf(sha256, txid))).toBe(v1.key)
    expect(plainHex(testCrypto.seal(keyOf(sha256, txid), hex(v1.plain)))).toBe(v1.blob)
    expect(testCrypto.open(keyOf(sha256, txid), hex(v1.blob))).toEqual(hex(v1.plain))
  })

  test('tower V2: a blob of the older dialect opens with the shown order alone', () => {
    const shown = hex('b2e984a570f6f49bc38ace178e09147b0aa296cbb7c92eb01412f7e2d07b5659')
    const plain = hex('6097cdf52309b1b2124efeed36bd34f46dc1c25ad23ac86f28380f746254f777')
    const blob = hex(
      '8f31028097a8bf12a92e088caab5cf3fcddf0d35ed2b72c24b12269373efcdea04f9d2a820adafe830c20ff132d89810',
    )

    expect(testCrypto.open(keyOf(sha256, shown), blob)).toEqual(plain)
    expect(testCrypto.open(keyOf(sha256, reversed(shown)), blob)).toBeUndefined()
  })

  test('tower V3 V5: signatures of others recover to their keys', async () => {
    for (const [message, signature, key] of recovered)
      expect(await signer(text(message), signature)).toBe(key)
  })

  test('tower V4 V5: the same bytes are signed', () => {
    const v4 = hex('24e9a981580d27d9277071a8381542e89a7c124868c4e862a13595dc75c6922f')
    const one = new Uint8Array(32).fill(1, 31)

    expect(plainHex(aKey(v4).id)).toBe(
      '0235293db86c6aaa74aff69ebacad8471d5242901ea9f6a0341a8dca331875e62c',
    )
    expect(sign(v4, text('Test message'))).toBe(
      'd7kg5hdwsqgrzmbthcwjm3fqnrhni1qru9rh6hstr8rqhjdmtwbkszd11tobcmk1kiojbegyrxeot9yy7378daofptdahgxu1yknrz9p',
    )
    expect(sign(one, text('test message'))).toBe(
      'd9tibmnic9t5y41hg7hkakdcra94akas9ku3rmmj4ag9mritc8ok4p5qzefs78c9pqfhpuftqqzhydbdwfg7u6w6wdxcqpqn4sj4e73e',
    )
  })

  test('tower V6: a receipt binds the text of the signature, not its bytes', async () => {
    const user =
      'd7efykp63dy69jrtc3r65pssbdhp4335etq3jap1zqk135qmrtyhr8ghbdhw8y8f7nsjgmm9eoyhsfj6yugzq1bu657frmwwrudr9gpt'
    const receipt =
      'rd41nsmhtjsawhc9pta1p5na7kmsyk48xttjy4bt3tbkbajboyzfq6mpamkjixs1w7qotocwjg3sxnbzg6uduec4cnahhkmctgddjn8w'
    const towerId = '02bd2b759dd8a4fcef0f7d9692c105da8400d5da7942ee039e869fbfb8738ffde4'

    expect(await signer(appointmentReceipt(user, 391), receipt)).toBe(towerId)
    const bytes = fromZbase32(user) ?? new Uint8Array(0)
    const overBytes = concatBytes(bytes, Uint8Array.of(0, 0, 1, 0x87))
    expect(await signer(overBytes, receipt)).not.toBe(towerId)
  })

  test('tower V7: a whole session has the bytes of the other implementation', () => {
    const user = aKey(0x11).id
    const tower = aKey(0x22).id
    const subscription = registrationReceipt({ user, slots: 10_000, start: 100, expiry: 4_420 })
    const message = appointmentMessage(hex(v1.locator), hex(v1.blob), 42)
    const signature = sign(0x11, message)

    expect(plainHex(user)).toBe(
      '034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa',
    )
    expect(plainHex(tower)).toBe(
      '02466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27',
    )
    expect(plainHex(subscription)).toBe(`${plainHex(user)}000027100000006400001144`)
    expect(sign(0x22, subscription)).toBe(
      'rdyjdyd94r4i6gjrihd8n9jxr6tbq7padkrehsdcmbtecq73j64ec74pxuyp93uw9o9rnj79377qwyg4dfqs73hkpz5d474m7yfykd6u',
    )
    expect(message).toHaveLength(387)
    expect(plainHex(sha256(message))).toBe(
      '4bc886e929b896eb70e74714a00d9023ca45aa46b314c6c4a3b21181647b42a9',
    )
    expect(signature).toBe(
      'rb5rkqxkqak3y15itr5rnmxfsqe7ncwpem5drbsj56z6hrzjr8thwswyg3ztxs46xn99ak5kiexb56iuwf548rzjr4zzmnwzq1kg9eq4',
    )
    expect(sign(0x22, appointmentReceipt(signature, 100))).toBe(
      'rn6ps8t8eibe8dsgcgot8yxp7w5khnbht4kj7ixyhexdnewp9oqx4x41xmsqr7s89ws6bdnzxiytzhaqosapndg6ooyrbapnq9utzji1',
    )
    expect(sign(0x11, getMessage(hex(v1.locator)))).toBe(
      'rb77zibj6wfh4bebb4z5di59nn8j7gk6qonpjrzqi4f43e8uui35cquqi79xuou38d54u8w3f9jzb578mqj8cwk1dfaky8kdh3p17574',
    )
    expect(sign(0x11, subscriptionMessage)).toBe(
      'd6xprikbpk5icqqpcbukwhftke43tswhgfj3kd7ng8egfw484ndx6x9zf5cs417m4japhc9c51k34k9qeyuxcytgzs97yqm9a81g8zyy',
    )
    expect(plainHex(uuidOf(testCrypto.ripemd160, hex(v1.locator), user))).toBe(
      'cc84ec36822c2f2b05a821a636116042832f5250',
    )
  })

  test('tower V8 B241: inputs, outputs and weight of a pair are exact, and the penalty spends its dispute', () => {
    const dispute = parseTransaction(hex(v8.dispute), sha256)
    const penalty = parseTransaction(hex(v8.penalty), sha256)
    if (dispute === undefined || penalty === undefined) throw new Error('both are transactions')

    expect(plainHex(reversed(dispute.txid))).toBe(v8.disputeShown)
    expect(plainHex(reversed(penalty.txid))).toBe(v8.penaltyShown)
    expect(plainHex(locatorOf(dispute.txid))).toBe(v8.locator)
    expect(plainHex(keyOf(sha256, dispute.txid))).toBe(v8.key)
    expect(plainHex(testCrypto.seal(hex(v8.key), hex(v8.penalty)))).toBe(v8.blob)
    expect([Math.ceil(dispute.weight / 4), Math.ceil(penalty.weight / 4)]).toEqual([180, 121])
    expect(dispute.outputs.map(({ value }) => value)).toEqual([60_000n, 39_000n])
    expect(penalty.outputs.map(({ value }) => value)).toEqual([59_000n])
    expect(penalty.inputs).toEqual([{ txid: dispute.txid, index: 0 }])
    const open = openBitcoinBlob(testCrypto)
    expect(open(hex(v8.blob), dispute.txid)).toMatchObject({ ok: true, txid: penalty.txid })
    expect(plainHex(uuidOf(testCrypto.ripemd160, locatorOf(dispute.txid), aKey(0x11).id))).toBe(
      v8.uuid,
    )
  })

  test('tower V9: the message that takes an appointment back names tower and end', () => {
    const message = deleteMessage(hex(v8.locator), aKey(0x22).id, 130)

    expect(new TextDecoder().decode(message)).toBe(
      `delete appointment ${v8.locator} ${plainHex(aKey(0x22).id)} 130`,
    )
    expect(sign(0x11, message)).toBe(
      'd7oekcx97hdhjcdem3oma4ctyyawtdnthg7wfsxjemnwxd7e6my6683ydhmmc5fc4rscei9gcijft31z6xqppo75i5t9uwq4oy6xnt9c',
    )
  })

  test('tower V10: text that is no signature is refused, capitals are not', () => {
    const good =
      'd7kg5hdwsqgrzmbthcwjm3fqnrhni1qru9rh6hstr8rqhjdmtwbkszd11tobcmk1kiojbegyrxeot9yy7378daofptdahgxu1yknrz9p'
    const with0 = (first: number) => {
      const bytes = fromZbase32(good) ?? new Uint8Array(65)
      bytes[0] = first
      return toZbase32(bytes)
    }
    const isSignature = (signature: string) =>
      recoveryOf(sha256, text('Test message'), signature) !== undefined

    expect([good, good.toUpperCase(), with0(31), with0(34)].map(isSignature)).toEqual([
      true,
      true,
      true,
      true,
    ])
    const bad = [good.slice(0, -1), `${good}y`, '', with0(30), with0(35)]
    const foreign = [...'02lv'].map(letter => `${letter}${good.slice(1)}`)
    expect([...bad, ...foreign].map(isSignature)).toEqual(bad.concat(foreign).map(() => false))
  })
})

test('every recorded signature, receipt and blob of the other tower is made again', async () => {
  const recorded = readVector('rust-teos.json') as Recorded
  const user = fromHex(recorded.user_secret)
  const tower = fromHex(recorded.tower_secret)
  const { registration: r } = recorded
  const receipt = registrationReceipt({
    user: fromHex(r.user_id),
    slots: r.available_slots,
    start: r.subscription_start,
    expiry: r.subscription_expiry,
  })

  expect(plainHex(receipt)).toBe(r.receipt_bytes)
  expect(sign(tower, receipt)).toBe(r.subscription_signature)
  expect(sign(user, subscriptionMessage)).toBe(recorded.get_subscription_info_signature)
  expect(recorded.appointments).toHaveLength(3)
  for (const each of recorded.appointments) {
    const txid = reversed(fromHex(each.commitment_txid))
    const locator = locatorOf(txid)
    const commitment = parseTransaction(fromHex(each.commitment_tx), sha256)
    expect(commitment?.txid).toEqual(txid)
    expect(plainHex(locator)).toBe(each.locator)
    expect(plainHex(keyOf(sha256, txid))).toBe(each.key)
    const blob = testCrypto.seal(fromHex(each.key), fromHex(each.penalty_tx))
    expect(plainHex(blob)).toBe(each.encrypted_blob)
    expect(openBitcoinBlob(testCrypto)(blob, txid)).toMatchObject({
      ok: true,
      txid: reversed(fromHex(each.penalty_txid)),
    })
    const message = appointmentMessage(locator, blob, each.to_self_delay)
    expect(sign(user, message)).toBe(each.user_signature)
    expect(sign(tower, appointmentReceipt(each.user_signature, each.start_block))).toBe(
      each.receipt_signature,
    )
    expect(sign(user, getMessage(locator))).toBe(each.get_appointment_signature)
  }
})

interface Recorded {
  user_secret: string
  tower_secret: string
  get_subscription_info_signature: string
  registration: {
    user_id: string
    available_slots: number
    subscription_start: number
    subscription_expiry: number
    subscription_signature: string
    receipt_bytes: string
  }
  appointments: {
    commitment_txid: string
    commitment_tx: string
    penalty_tx: string
    penalty_txid: string
    locator: string
    key: string
    encrypted_blob: string
    to_self_delay: number
    user_signature: string
    start_block: number
    receipt_signature: string
    get_appointment_signature: string
  }[]
}

describe('text and bytes of strangers', () => {
  test('zbase32 gives every byte string back, and only one text means it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
        expect(fromZbase32(toZbase32(bytes))).toEqual(bytes)
      }),
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 24 }), any => {
        const bytes = fromZbase32(any)
        if (bytes !== undefined) expect(toZbase32(bytes)).toBe(any.toLowerCase())
      }),
    )
  })

  test('no truncation of a transaction and nothing behind it is one, and no byte changed makes the parser throw', () => {
    for (const whole of [hex(v8.dispute), hex(v8.penalty), hex(v1.plain)]) {
      for (let end = 0; end < whole.length; end += 1)
        expect(parseTransaction(whole.subarray(0, end), sha256)).toBeUndefined()
      expect(parseTransaction(concatBytes(whole, Uint8Array.of(0)), sha256)).toBeUndefined()
      for (let at = 0; at < whole.length; at += 1) {
        const changed = whole.slice()
        changed[at] = (changed[at] ?? 0) ^ 0xff
        parseTransaction(changed, sha256)
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        parseTransaction(bytes, sha256)
        parseBlock(bytes, sha256)
      }),
    )
  })

  test('a block knows where its transactions lie, and a longer varint than needed is refused', () => {
    const header = new Uint8Array(80).fill(3)
    const [first, second] = [hex(v8.dispute), hex(v8.penalty)]
    const bytes = concatBytes(header, Uint8Array.of(2), first, second)

    const block = parseBlock(bytes, sha256)

    expect(block?.parent).toEqual(header.subarray(4, 36))
    expect(block?.txs.map(({ from, to }) => [...bytes.subarray(from, to)])).toEqual([
      [...first],
      [...second],
    ])
    expect(plainHex(reversed(block?.txs[1]?.txid ?? header))).toBe(v8.penaltyShown)
    const long = concatBytes(header, Uint8Array.of(0xfd, 2, 0), first, second)
    expect(parseBlock(long, sha256)).toBeUndefined()
    expect(parseBlock(concatBytes(bytes, Uint8Array.of(0)), sha256)).toBeUndefined()
    expect(parseBlock(bytes.subarray(0, -1), sha256)).toBeUndefined()
  })
})
