import type { Readable } from 'node:stream'
import type { Address, Credentials, Destination, DestinationOf, Principal, ProtocolAdapter, ProtocolClient } from '@sallyport/core'
import type { Case } from '../case.ts'
import type { FarEnd, FarSide } from '../far-side.ts'

export type AdapterFeature =
  /** The protocol knows a user and a password. */
  | 'basic'
  /** The protocol has headers. */
  | 'header'
  /** The client can act on behalf of somebody who logged on elsewhere. */
  | 'principal'
  /** The dial learns which connector is meant; adapters that tell a proxy instead do not claim it. */
  | 'locations'
  /** Answers have a form that can be cut short or violated. */
  | 'answers'
  /** A long answer is handed on as it comes. Clients that return answers as a whole bound them instead. */
  | 'longAnswers'
  /** A long request is read from its source as it goes out. */
  | 'longRequests'

/** What a backend insists on before it works. */
export interface Demand {
  readonly credentials: Credentials
  readonly principal: Principal | undefined
}

/** An adapter and the world around it. */
export interface AdapterParts<T extends Destination['type'], Client extends ProtocolClient, Far extends FarSide> {
  /** A fresh far side; the suite disposes it. */
  readonly open: () => Promise<Far>
  readonly create: (far: Far) => ProtocolAdapter<T, Client>
  /** A destination with location ID `orlando` whose target is `address`. */
  readonly destination: (address: Address) => DestinationOf<T>
  /** Plays a healthy backend on one connection. It refuses to work for anybody who does not present what is demanded. */
  readonly serve: (far: FarEnd, demand: Demand) => void
  /** Does the protocol's work once. Throws unless the backend did its part. */
  readonly work: (client: Client, signal: AbortSignal) => Promise<void>
  /** What a client has to be told before it works again after its connection was lost, where it does not see to that by itself. */
  readonly reopen?: (client: Client, signal: AbortSignal) => Promise<void>
  /** What a backend says before it is asked, with the end of its line, where the protocol has it begin. */
  readonly greeting?: string
  /** Begins an answer and stops in the middle of it (feature `answers`). */
  readonly beginAnswer?: (far: FarEnd) => void
  /** Backends that answer with something that no client should take or wait for, by what is wrong (feature `answers`). */
  readonly hostile?: Readonly<Record<string, (far: FarEnd) => void>>
  /** An answer of any length (feature `longAnswers`). */
  readonly longAnswer?: LongAnswer<Client>
  /** A request of any length (feature `longRequests`). */
  readonly longRequest?: LongRequest<Client>
  /** Secrets of the adapter's own options. */
  readonly secrets?: readonly string[]
  readonly limitMs?: number
}

/** A backend whose answer is as long as one likes, and a client that asks for it. */
interface LongAnswer<Client extends ProtocolClient> {
  /** Answers with all of `content`, as fast as the connection takes it. */
  readonly serve: (far: FarEnd, content: Readable) => void
  /** Asks when it is iterated; what the client hands on is counted by its bytes. */
  readonly ask: (client: Client, signal: AbortSignal) => AsyncIterable<{ readonly length: number }>
}

/** A backend that takes a request of any length, and a client that makes one. */
interface LongRequest<Client extends ProtocolClient> {
  /** Takes the content to its end before it answers. */
  readonly serve: (far: FarEnd) => void
  /** Sends all of `content`. Throws unless the backend has taken it. */
  readonly send: (client: Client, content: Readable, signal: AbortSignal) => Promise<void>
}

/** What a case of the adapter suite gets. */
export interface AdapterContext {
  readonly parts: AdapterParts<Destination['type'], ProtocolClient, FarSide>
  readonly far: FarSide
  readonly signal: AbortSignal
}

export type AdapterCase = Case<AdapterContext, AdapterFeature>
