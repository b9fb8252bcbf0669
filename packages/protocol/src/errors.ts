/**
 * Whose fault a failure is. `peer`: provably the sender's, may be charged. `user`: the caller asked for something impossible.
 * `self`: this node cannot at the moment. `none`: nobody's, an ordinary outcome.
 */
export type Fault = 'peer' | 'user' | 'self' | 'none'

interface ErrorRow {
  readonly fault: Fault
  readonly text: string
  readonly remedy: string
}

const row = (fault: Fault, text: string, remedy: string): ErrorRow => ({ fault, text, remedy })
const sender = 'none: the sender is at fault'
const wait = 'wait and try again'

/** Every code a user, a peer or another actor can meet. Codes are `room/reason`, never renamed once shipped. */
export const errors = {
  'actor/busy': row('self', 'txpool intake is full, try again', wait),

  'tower/bad-key': row(
    'user',
    'Provided public key does not match expected format (33-byte compressed key)',
    'send a compressed public key',
  ),
  'tower/registration-closed': row('user', 'Registration is not open', 'ask the operator'),
  'tower/registration-full': row('self', 'Registration is full, try again later', wait),
  'tower/address-limit': row('user', 'Too many registrations from this address', wait),
  'tower/renewals': row('user', 'Too many renewals, try again later', wait),
  'tower/slots-max': row('user', 'Subscription maximum slots count reached', 'use what is there'),
  'tower/expiry-max': row('user', 'Subscription cannot be extended further', wait),
  'tower/not-accepted': row(
    'user',
    'Invalid signature or user does not have enough slots available',
    'register again',
  ),
  'tower/not-authenticated': row('user', 'User cannot be authenticated', 'register first'),
  'tower/unknown-user': row('user', 'User not found. Have you registered?', 'register first'),
  'tower/expired': row('user', 'Your subscription expired', 'register again'),
  'tower/triggered': row(
    'user',
    'The provided appointment has already been triggered',
    'none: it is being answered',
  ),
  'tower/not-found': row('user', 'Appointment not found', 'check the locator'),
  'tower/rate': row('user', 'Too many requests, try again later', wait),
  'tower/busy': row('self', 'Service currently unavailable', wait),
  'tower/blob-too-small': row(
    'user',
    'Wrong `encrypted_blob` field size',
    'send at least 76 bytes',
  ),
  'tower/delay-too-small': row('user', 'Wrong `to_self_delay` field', 'ask the operator'),
  'tower/bad-until': row('user', 'Wrong `until` height', 'name a height up to 144 ahead'),
  'tower/bad-end': row(
    'user',
    'Wrong `endBlock` height',
    'name a height between now and the end of the subscription',
  ),
  'tower/user-not-found': row('user', 'User not found', 'see rockpool tower users'),
  'tower/absent': row('user', 'this node runs no watchtower', 'start it with --tower.enabled'),
  'tower/corrupt-row': row('self', 'a row of the tower cannot be read', 'it is kept aside'),
  'tower/backend-lost': row('self', 'the tower cannot follow its chain', 'look at the chain'),

  'pool/pending': row('none', 'accepted, executable', 'none'),
  'pool/replaced': row('none', 'accepted, replaces a pending transaction', 'none'),
  'pool/queued': row('none', 'accepted, waits for a missing nonce', 'send the missing nonce'),
  'pool/known': row('none', 'already known', 'none: it is in the pool'),
  'pool/undecodable': row('peer', 'not a transaction', 'send the signed EIP-2718 bytes'),
  'pool/oversized': row('peer', 'oversized data', 'at most 131,072 bytes'),
  'pool/type-unsupported': row('user', 'transaction type not supported', 'send type 0, 1, 2 or 4'),
  'pool/type-not-enabled': row(
    'user',
    'transaction type not enabled at the head',
    'wait for the fork',
  ),
  'pool/initcode-too-big': row('peer', 'max initcode size exceeded', 'shorten the init code'),
  'pool/gas-cap': row('peer', 'transaction gas limit too high', 'lower the gas limit'),
  'pool/negative-value': row('peer', 'negative value', 'give a value of at least 0'),
  'pool/gas-over-block': row('user', 'exceeds block gas limit', 'lower the gas limit'),
  'pool/fee-cap-too-wide': row('peer', 'max fee per gas higher than 2^256-1', 'lower the fee'),
  'pool/tip-too-wide': row('peer', 'max priority fee per gas higher than 2^256-1', 'lower the tip'),
  'pool/tip-above-fee-cap': row(
    'peer',
    'max priority fee per gas higher than max fee per gas',
    'lower the tip',
  ),
  'pool/invalid-sender': row('peer', 'invalid sender', 'sign it again'),
  'pool/wrong-chain': row('peer', 'invalid chain id for signer', 'sign for this chain id'),
  'pool/nonce-max': row('peer', 'nonce has max value', 'use another account'),
  'pool/value-too-wide': row(
    'peer',
    'insufficient funds for gas * price + value',
    'lower the value',
  ),
  'pool/intrinsic-gas': row('peer', 'intrinsic gas too low', 'raise the gas limit'),
  'pool/floor-gas': row('peer', 'insufficient gas for floor data gas cost', 'raise the gas limit'),
  'pool/empty-authorizations': row(
    'peer',
    'set code tx must have at least one authorization tuple',
    'add an authorization',
  ),
  'pool/tip-below-minimum': row('user', 'transaction gas price below minimum', 'raise the tip'),
  'pool/nonce-too-low': row('user', 'nonce too low', 'use the next nonce'),
  'pool/insufficient-funds': row(
    'user',
    'insufficient funds for gas * price + value',
    'fund the account',
  ),
  'pool/delegated-gap': row(
    'user',
    'gapped-nonce tx from delegated accounts',
    'send the next nonce first',
  ),
  'pool/delegated-in-flight': row(
    'user',
    'in-flight transaction limit reached for delegated accounts',
    wait,
  ),
  'pool/authority-reserved': row('user', 'authority already reserved', wait),
  'pool/address-reserved': row('user', 'address already reserved', wait),
  'pool/underpriced': row('user', 'transaction underpriced', 'raise the fee'),
  'pool/full': row('self', 'txpool is full', wait),
  'pool/future-replaces-pending': row(
    'user',
    'future transaction tries to replace pending',
    'send the missing nonce',
  ),
  'pool/replacement-underpriced': row(
    'user',
    'replacement transaction underpriced',
    'raise both fees by the price bump',
  ),
  'trace/malformed': row(
    'user',
    'a recorded trace cannot be read or replayed',
    'the file and line named are not of the format',
  ),
  'pool/closed': row('self', 'txpool is not ready: shutting down', wait),
  'pool/journal-failed': row(
    'self',
    'transaction journal unavailable',
    'look at the disk: nothing is taken that would not survive a restart',
  ),
  'pool/state-missing': row('self', 'txpool is not ready: no head or state yet', wait),

  'gossip/too-big': row('peer', 'message over the size limit of its topic', sender),
  'gossip/undecodable': row('peer', 'message is not MessagePack', sender),
  'gossip/bad-shape': row('peer', 'message does not match its layout', sender),
  'gossip/bad-version': row('peer', 'message version is not that of its topic', sender),
  'gossip/not-canonical': row('peer', 'message is not in its one canonical form', sender),
  'gossip/duplicate-entry': row('peer', 'one transaction twice in a batch', sender),
  'gossip/announce-mismatch': row('peer', 'announced transaction has another hash or size', sender),
  'gossip/not-served': row(
    'none',
    'announced transaction was not served in time',
    'none: not relayed',
  ),
  'gossip/unknown-kind': row(
    'none',
    'message kind not known here',
    'none: a newer node may send it',
  ),
  'peer/banned': row('peer', 'the sender is banned', 'none: dropped'),
  'peer/quarantined': row('peer', 'the sender is in quarantine', 'none: dropped'),

  'wire/malformed-rpc': row('peer', 'a gossip frame does not decode', sender),
  'wire/oversize-frame': row('peer', 'a gossip frame over the size limit', sender),
  'wire/invalid-envelope': row('peer', 'a gossip message carries an author or a signature', sender),
  'wire/stream-churn': row('peer', 'the gossip stream is opened again and again', sender),
  'gossip/bad-frame': row('peer', 'a gossip message that no honest node makes', sender),
  'gossip/invalid-tx': row('peer', 'a transaction that is wrong for everyone', sender),
  'gossip/invalid-block': row('peer', 'a block that is wrong for everyone', sender),
  'gossip/graft-flood': row('peer', 'mesh requests before their time', sender),
  'gossip/broken-promise': row('peer', 'messages announced and not sent', sender),
  'gossip/soft-flood': row('peer', 'transactions that cannot run, in numbers', sender),
  'sync/bad-reply': row('peer', 'a request or an answer that no honest node makes', sender),
  'sync/unrequested': row('peer', 'bodies nobody asked for', sender),
  'p2p/too-many-peers': row('none', 'as many peers as this node takes', wait),
  'p2p/refused-lately': row('none', 'somebody of this address was refused and dials again', wait),
  'p2p/too-many-from-address': row(
    'none',
    'as many peers from one address as this node takes',
    wait,
  ),
  'rate/wire': row('peer', 'more gossip frames than anybody needs', sender),
  'rate/request': row('peer', 'more requests than anybody needs', sender),
  'identify/bad-key': row('peer', 'a key that is neither Ed25519 nor secp256k1', sender),
  'liveness/sync-timeout': row('none', 'a pool sync request was not answered in time', wait),
  'liveness/request-timeout': row('none', 'what was announced was not served in time', wait),

  'load/rate': row('none', 'over the rate of one peer', 'none: dropped, not punished'),
  'load/queue-full': row('self', 'queue full', 'none: dropped, not punished'),
  'load/mailbox-full': row('self', 'mailbox full', 'none: dropped, not punished'),
  'load/deadline': row('self', 'not judged in time', 'none: dropped, not punished'),
  'load/draining': row('self', 'node is stopping', 'none'),
  'load/not-ready': row('self', 'node is not ready', 'none'),
  'load/internal': row('self', 'internal failure', 'look at the log'),

  'chain/imported': row('none', 'block is the new head', 'none'),
  'chain/side-branch': row('none', 'block kept on a side branch', 'none'),
  'chain/known': row('none', 'block already known', 'none'),
  'chain/block-undecodable': row('peer', 'not a block', sender),
  'chain/unknown-producer': row('peer', 'producer is not in the genesis', sender),
  'chain/bad-signature': row('peer', "seal is not the producer's", sender),
  'chain/invalid-header': row('peer', 'header breaks a rule', sender),
  'chain/too-early': row('peer', 'block does not keep the spacing of its rank', sender),
  'chain/bad-body-root': row('peer', 'transactions do not hash to the root of the header', sender),
  'chain/invalid-body': row(
    'peer',
    'execution does not give what the header says',
    'none: counted against the producer',
  ),
  'chain/unknown-parent': row('none', 'parent not known yet', 'none: it is fetched'),
  'chain/in-future': row('none', 'block time is ahead of the clock', 'none: it waits'),
  'chain/too-old': row('none', 'block is too far below the head', 'none'),
  'chain/too-many-at-height': row('none', 'too many blocks of one producer at one height', 'none'),
  'chain/state-missing': row('user', 'state of that block is not kept', 'ask for a newer block'),
  'node/chain-not-loaded': row(
    'self',
    'the chain could not be read from the store',
    'look at the log: it names the record',
  ),
  'chain/state-full': row('self', 'account limit of the dev chain reached', 'start a new devnet'),
  'chain/not-here': row(
    'none',
    'this node follows another client and has no chain of its own',
    'ask that client',
  ),
  'chain/unknown-block': row('user', 'block not known', 'ask for another block'),
  'devnet/clock': row(
    'user',
    'no such speed or jump of a chain clock',
    'give a number within the bounds',
  ),
  'chain/other-genesis': row(
    'user',
    'the store holds a chain of another genesis',
    'use another data directory, or the genesis it was made with',
  ),
  'chain/double-sign': row(
    'self',
    'this node already signed another block on that parent',
    'none: it waits for the next head',
  ),

  'devnet/no-director': row(
    'user',
    'this network has no director; devnet_reorg needs one producer or a director',
    'name a director in the genesis',
  ),
  'devnet/not-the-director': row(
    'user',
    "this node does not hold the director's key",
    'call the node that has keys/director.key',
  ),
  'devnet/snapshot-gone': row(
    'user',
    'the block of this snapshot is not in the chain any more',
    'take a new snapshot',
  ),
  'devnet/balance': row(
    'user',
    'this balance cannot be reached by transfers',
    'choose one of the accounts of the devnet, or another amount',
  ),
  'devnet/too-shallow': row('user', 'the chain is not that high', 'name a smaller depth'),
  'devnet/outrun': row('self', 'the network went on faster than the forced branch', wait),

  'config/bad-genesis': row('user', 'bad genesis', 'correct the fields named in the message'),

  'store/full': row('self', 'the disk is full', 'free some space; nothing acknowledged is lost'),
  'store/corrupt': row(
    'self',
    'a record does not decode',
    'rockpool db verify names the keys; restore a backup',
  ),
  'store/other-chain': row(
    'user',
    'the transaction journal belongs to another chain',
    'use another data directory',
  ),
  'store/newer-schema': row(
    'user',
    'the transaction journal was written by a newer Rockpool',
    'install that version or a newer one',
  ),
  'store/closed': row('self', 'the store is closed', 'none: the node is stopping'),
  'store/locked': row(
    'user',
    'data directory is in use by another Rockpool',
    'stop it or pass --datadir DIR',
  ),

  'rpc/fee-over-cap': row(
    'user',
    'tx fee exceeds the configured cap',
    'lower the fee or raise rpc.txfeecap',
  ),
  'rpc/unprotected': row(
    'user',
    'only replay-protected (EIP-155) transactions allowed over RPC',
    'sign with a chain id or set rpc.allow-unprotected-txs',
  ),
  'rpc/no-contracts': row(
    'user',
    'this chain runs no contracts; start it with --evm',
    'send a plain transfer',
  ),
  'rpc/timeout': row('self', 'request timed out', wait),
  'rpc/rate': row('user', 'too many requests', 'send fewer; Retry-After says when'),
  'rpc/too-many': row('user', 'too many at a time', 'finish some first'),
  'rpc/slow-consumer': row('user', 'subscriber too slow', 'connect again and read faster'),
  'rpc/port-in-use': row('user', 'port in use', 'choose another port or stop what uses it'),
  'rpc/cannot-listen': row(
    'user',
    'cannot listen on that address',
    'check the address and its permissions',
  ),

  'store/io': row('self', 'the database could not be read or written', 'look at the disk'),

  'crypto/self-test': row(
    'self',
    'signature self-test failed',
    'a node that cannot verify must not run; reinstall',
  ),
  'crypto/crashed': row('self', 'a recovery worker died', wait),
  'crypto/closed': row('self', 'signature recovery is closed', 'none: the node is stopping'),
  'crypto/fallback': row(
    'self',
    'a slower signature implementation is in use',
    'npm rebuild secp256k1 --ignore-scripts=false',
  ),
  'crypto/unknown-key': row('user', 'unknown account', 'use an account this node holds'),

  'keys/locked': row(
    'user',
    'authentication needed: password or unlock',
    'start the node with --unlock ADDRESS --password-file FILE',
  ),
  'keys/wrong-password': row(
    'user',
    'could not decrypt key with given password',
    'give the password the key was stored with',
  ),
  'keys/bad-file': row(
    'user',
    'not a key file of Web3 Secret Storage version 3',
    'restore the file from backup',
  ),
  'keys/mismatch': row(
    'user',
    'key content mismatch',
    'the file was renamed or damaged: restore it from backup',
  ),
  'keys/ambiguous': row(
    'user',
    'multiple keys match address',
    'move all but one of the files away',
  ),
  'keys/exists': row('user', 'account already exists', 'none: the key is in the keystore'),

  'config/key-permissions': row('user', 'key file can be read by others', 'run chmod 600 on it'),
  'config/key-invalid': row('user', 'not a secp256k1 private key', 'restore the file from backup'),

  'config/bad-p2p-key': row(
    'user',
    'not an Ed25519 key of a node',
    'restore the file from backup, or remove it for a new identity',
  ),
  'config/bad-static-peer': row(
    'user',
    'static peer is not an address with a peer id',
    'write /ip4/ADDRESS/tcp/PORT/p2p/ID, each id once',
  ),
  'config/bad-bootnode': row(
    'user',
    'bootnode is not an address with a peer id',
    'write /ip4/ADDRESS/tcp/PORT/p2p/ID, each id once',
  ),
  'config/bad-listen-address': row(
    'user',
    'not an address to listen on or to advertise',
    'write /ip4/ADDRESS/tcp/PORT',
  ),
  'config/bad-peer-targets': row(
    'user',
    'peers wanted, kept and taken do not rise',
    'let p2p.peers.lo be at most .hi, and .hi at most .max',
  ),
  'config/bad-btc-network': row(
    'user',
    'bitcoind runs another network',
    'set tower.btc_network to what it runs',
  ),
  'config/bad-tower-backend': row(
    'user',
    'the bitcoin node of the tower is not described as it must be',
    'correct the keys named in the message',
  ),
  'config/bad-mesh': row(
    'user',
    'mesh sizes do not fit together',
    'keep 1 <= dout < dlo <= d <= dhi <= 1000 and 2 dout <= d',
  ),
  'config/bad-score': row('user', 'scoring parameters refused by the router', 'correct them'),

  'bus/unknown-message': row(
    'user',
    'no turn of that message is remembered',
    'ids of recent messages are in the log and in rockpool deadletters ls',
  ),
  'bus/unknown-letter': row(
    'user',
    'no dead letter of that number is kept',
    'rockpool deadletters ls lists those that are',
  ),

  'record/overrun': row(
    'self',
    'the disk is too slow for the recording, which has stopped; the node goes on',
    'record to a faster disk, or without load',
  ),
  'record/full': row(
    'self',
    'the recording reached record.max-bytes and has stopped; the node goes on',
    'raise record.max-bytes and start the node again',
  ),
  'record/failed': row(
    'self',
    'the recording could not be written and has stopped; the node goes on',
    'look at the disk',
  ),
  'record/unreadable': row('user', 'not a recording of a node', 'choose a whole .rprec file'),
  'record/diverged': row(
    'self',
    'the same inputs did not lead to the same turns',
    'replay it with the build that recorded it',
  ),
  'record/no-io': row('none', 'no I/O in a replay', 'none'),

  'p2p/router-patch-missing': row(
    'self',
    'the gossip router lacks a method this node must watch',
    'install the pinned version of the router',
  ),
  'p2p/port-in-use': row('user', 'port in use', 'choose another port or stop what uses it'),
  'p2p/listen-failed': row('user', 'cannot listen', 'choose another address'),
  'p2p/not-running': row('self', 'the network is not running', 'none'),
  'p2p/not-connected': row('none', 'peer is not connected', 'connect to it first'),
  'p2p/dial-failed': row('none', 'peer could not be reached', 'check its address'),
  'p2p/request-timeout': row('peer', 'no complete answer in time', 'ask another peer'),
  'p2p/answer-too-big': row('peer', 'answer over its size limit', 'ask another peer'),
  'p2p/stream-closed': row('peer', 'stream ended before the answer', 'ask another peer'),
  'p2p/bad-subject': row(
    'user',
    'not a peer id, an IP or a range',
    'write 12D3KooW…, 203.0.113.7 or 203.0.113.0/24',
  ),
  'p2p/ban-not-longer': row('none', 'a ban here ends later, or that one is over', 'none: kept'),
  'p2p/bad-multiaddr': row(
    'user',
    'not an address with a peer id',
    'give a multiaddr with /p2p/<id>',
  ),
  'p2p/disabled': row('user', 'this node runs without p2p', 'start it with p2p'),
  'p2p/unknown-peer': row(
    'user',
    'nothing is known about that peer',
    'rockpool peers ls --all lists who is known',
  ),
  'p2p/not-banned': row(
    'user',
    'that subject is not banned',
    'rockpool peers ls --all lists the bans',
  ),
  'p2p/peer-is-self': row('user', 'that is this node itself', 'name another peer'),
  'p2p/peer-is-static': row('user', 'that is a static peer', 'remove it from p2p.static first'),
  'p2p/peer-is-protected': row('user', 'that peer is protected', 'unprotect it first'),
  'p2p/too-many-protected': row('user', 'too many protected peers', 'unprotect some first'),
  'p2p/until-in-past': row(
    'user',
    'that ban would already be over',
    'give a time to come, for example --for 1h',
  ),
  'p2p/ban-book-full': row('user', 'too many bans without an end', 'unban some, or ban ranges'),
  'p2p/ban-not-durable': row(
    'self',
    'in force, but the disk failed',
    'look at the disk: a restart may forget it',
  ),
  'p2p/banned': row(
    'none',
    'that peer or address is banned here',
    'rockpool peers unban lets it in',
  ),
  'p2p/address-without-ip': row(
    'none',
    'an address by name is dialled only for configured peers',
    'name the peer in p2p.static',
  ),
  'p2p/bad-link': row(
    'user',
    'a link is named by a peer id or a multiaddr with a TCP port',
    'take the address from network.json',
  ),
  'p2p/too-many-links': row('user', 'too many links have rules', 'heal some of them first'),
  'p2p/unsupported-protocol': row('none', 'peer does not speak this protocol', 'ask another peer'),
} as const satisfies Record<string, ErrorRow>

export type Code = keyof typeof errors

/** Facts about a failure that a program may use: required fee, balance, next nonce. Quantities stay bigint until encoded. */
export type Details = Readonly<Record<string, string | number | bigint>>

export interface Failure {
  readonly ok: false
  readonly code: Code
  /** The exact sentence a user sees; geth's where geth has one. */
  readonly message: string
  readonly details?: Details
}

/** An expected outcome that crosses a mailbox: a value, or a coded failure. Exceptions never do. */
export type Answer<T> = { readonly ok: true; readonly value: T } | Failure

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function failed(
  code: Code,
  message: string = errors[code].text,
  details?: Details,
): Failure {
  return details === undefined
    ? { ok: false, code, message }
    : { ok: false, code, message, details }
}

/** What is thrown: a bug, a refusal at start, or a rejected promise of a port. Never crosses a mailbox as such. */
export class CodedError extends Error {
  readonly code: Code

  constructor(code: Code, message: string = errors[code].text, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CodedError'
    this.code = code
  }
}
