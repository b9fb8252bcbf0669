import {
  type Answer,
  type AppointmentReceipt,
  type AppointmentState,
  type Code,
  type DeletedAppointment,
  type Reply,
  type Subscription,
  type SubscriptionState,
  type WatcherMessage,
} from '@rockpool/protocol'
import { BadRequest, bodyReader, type ErrorCode, errorCodes } from './fields.ts'

/** Sends a question to the watcher and waits for its answer. */
export type AskWatcher = <R>(
  make: (reply: Reply<Answer<R>>) => WatcherMessage,
) => Promise<Answer<R>>

export interface Question {
  /** First segment of the path. */
  readonly path: string
  /** Reads the body, asks and gives the body of a 200. */
  answer(body: Uint8Array, address: string, ask: AskWatcher): Promise<Answer<string>>
}

const plainHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** Status and error code of every refusal of the watcher. */
export const refusals: Readonly<Partial<Record<Code, readonly [number, ErrorCode]>>> = {
  'tower/bad-key': [400, errorCodes.wrongFormat],
  'tower/registration-closed': [403, errorCodes.registration],
  'tower/registration-full': [400, errorCodes.registration],
  'tower/address-limit': [429, errorCodes.registration],
  'tower/renewals': [429, errorCodes.registration],
  'tower/slots-max': [400, errorCodes.registration],
  'tower/expiry-max': [400, errorCodes.registration],
  'tower/not-accepted': [401, errorCodes.notNow],
  'tower/not-authenticated': [401, errorCodes.notNow],
  'tower/unknown-user': [401, errorCodes.notNow],
  'tower/expired': [401, errorCodes.notNow],
  'tower/triggered': [400, errorCodes.triggered],
  'tower/not-found': [404, errorCodes.notFound],
  'tower/rate': [429, errorCodes.notNow],
  'tower/busy': [503, errorCodes.notNow],
  'tower/blob-too-small': [400, errorCodes.blobTooSmall],
  'tower/delay-too-small': [400, errorCodes.blobTooSmall],
  'tower/bad-until': [400, errorCodes.wrongFormat],
}

/** A field of bytes that must be there in its size. */
function sized(bytes: Uint8Array, field: string, size: number): Uint8Array {
  if (bytes.length === 0) throw new BadRequest(errorCodes.emptyField, `\`${field}\` field is empty`)
  if (bytes.length !== size)
    throw new BadRequest(
      errorCodes.wrongSize,
      `Wrong \`${field}\` field size. Expected ${size}, received ${bytes.length}`,
    )
  return bytes
}

function signed(signature: string): string {
  if (signature === '') throw new BadRequest(errorCodes.emptyField, '`signature` field is empty')
  return signature
}

/** The answer as text of JSON; fields leave in the order they are written here. */
function told<T>(answer: Answer<T>, make: (value: T) => unknown): Answer<string> {
  return answer.ok ? { ok: true, value: JSON.stringify(make(answer.value)) } : answer
}

const register: Question = {
  path: 'register',
  async answer(body, address, ask) {
    const fields = bodyReader(body, { name: 'RegisterRequest', elements: 1 })
    const user = sized(fields.hex('user_id'), 'user_id', 33)
    const answer = await ask<Subscription>(reply => ({
      ...{ type: 'watcher.register', user, address, reply },
    }))
    return told(answer, ({ slots, start, expiry, signature }) => ({
      user_id: plainHex(user),
      available_slots: slots,
      subscription_start: start,
      subscription_expiry: expiry,
      subscription_signature: signature,
    }))
  },
}

const add: Question = {
  path: 'add_appointment',
  async answer(body, _address, ask) {
    const fields = bodyReader(body, { name: 'AddAppointmentRequest', elements: 2 })
    const inner = fields.inner('appointment', { name: 'Appointment', elements: 3 })
    const given = inner && {
      locator: inner.hex('locator'),
      blob: inner.hex('encrypted_blob'),
      delay: inner.u32('to_self_delay'),
    }
    const text = fields.text('signature')
    if (given === undefined)
      throw new BadRequest(errorCodes.missingField, 'missing field `appointment`')
    sized(given.locator, 'locator', 16)
    const signature = signed(text)
    const answer = await ask<AppointmentReceipt>(reply => ({
      ...{ type: 'watcher.add', appointment: given, signature, reply },
    }))
    return told(answer, receipt => ({
      locator: plainHex(receipt.locator),
      start_block: receipt.startBlock,
      signature: receipt.signature,
      available_slots: receipt.slots,
      subscription_expiry: receipt.expiry,
    }))
  },
}

const get: Question = {
  path: 'get_appointment',
  async answer(body, _address, ask) {
    const fields = bodyReader(body, { name: 'GetAppointmentRequest', elements: 2 })
    const bytes = fields.hex('locator')
    const text = fields.text('signature')
    const locator = sized(bytes, 'locator', 16)
    const signature = signed(text)
    const answer = await ask<AppointmentState>(reply => ({
      ...{ type: 'watcher.get', locator, signature, reply },
    }))
    return told(answer, found =>
      found.state === 'watched'
        ? {
            appointment: {
              locator: plainHex(found.appointment.locator),
              encrypted_blob: plainHex(found.appointment.blob),
              to_self_delay: found.appointment.delay,
            },
            status: 'being_watched',
          }
        : {
            appointment: {
              dispute_txid: found.disputeTxid,
              penalty_txid: found.penaltyTxid,
              penalty_rawtx: plainHex(found.penalty),
            },
            status: 'dispute_responded',
          },
    )
  },
}

const subscription: Question = {
  path: 'get_subscription_info',
  async answer(body, _address, ask) {
    const fields = bodyReader(body, { name: 'GetSubscriptionInfoRequest', elements: 1 })
    const signature = signed(fields.text('signature'))
    const answer = await ask<SubscriptionState>(reply => ({
      ...{ type: 'watcher.subscription', signature, reply },
    }))
    return told(answer, ({ slots, expiry, locators }) => ({
      available_slots: slots,
      subscription_expiry: expiry,
      locators: locators.map(plainHex),
    }))
  },
}

const takeBack: Question = {
  path: 'delete_appointment',
  async answer(body, _address, ask) {
    const fields = bodyReader(body, { name: 'DeleteAppointmentRequest', elements: 3 })
    const bytes = fields.hex('locator')
    const until = fields.u32('until')
    const text = fields.text('signature')
    const locator = sized(bytes, 'locator', 16)
    const signature = signed(text)
    const answer = await ask<DeletedAppointment>(reply => ({
      ...{ type: 'watcher.delete', locator, until, signature, reply },
    }))
    return told(answer, ({ slots, slotsReturnAt }) => ({
      locator: plainHex(locator),
      available_slots: slots,
      slots_return_at: slotsReturnAt,
    }))
  },
}

export const questions: ReadonlyMap<string, Question> = new Map(
  [register, add, get, subscription, takeBack].map(each => [each.path, each]),
)
