import { request } from 'node:http'
import { Readable } from 'node:stream'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import { readEvents, type RemoteEvent } from './remote-events.ts'
import type {
  CallOptions,
  Content,
  ContentOptions,
  EntryQuery,
  LedgerService,
  RecordInput,
  TransferInput,
  Written
} from './service.ts'
import type { BalanceView, EntryPage, EntryView, GenesisView, ImportView, PeerView, StatusView } from './views.ts'

interface RequestOptions extends CallOptions {
  readonly method?: 'GET' | 'POST' | undefined
  readonly type?: string | undefined
  readonly body?: string | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable
}

/** A node that runs in another process, accessed through its HTTP API. */
export class RemoteLedger implements LedgerService {
  readonly #url: string
  readonly #token: string | undefined

  constructor(access: { url: string; token?: string | undefined }) {
    this.#url = access.url
    this.#token = access.token
  }

  async status(options?: CallOptions): Promise<StatusView> {
    return await this.#json('/v1/status', options)
  }

  async genesis(options?: CallOptions): Promise<GenesisView> {
    return await this.#json('/v1/genesis', options)
  }

  async balances(options?: CallOptions): Promise<readonly BalanceView[]> {
    return (await this.#json<{ balances: BalanceView[] }>('/v1/balances', options)).balances
  }

  async balance(account: string, options?: CallOptions): Promise<BalanceView> {
    return await this.#json(`/v1/balances/${encodeURIComponent(account)}`, options)
  }

  async entries(query: EntryQuery = {}, options?: CallOptions): Promise<EntryPage> {
    const parameters = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value))
    return await this.#json(`/v1/entries?${parameters.toString()}`, options)
  }

  async entry(cid: string, options?: CallOptions): Promise<EntryView> {
    return await this.#json(`/v1/entries/${encodeURIComponent(cid)}`, options)
  }

  async transfer(input: TransferInput, options?: CallOptions): Promise<Written> {
    const body = JSON.stringify({ ...input, amount: input.amount.toString() })
    return await this.#write('/v1/transfers', { ...options, type: 'application/json', body })
  }

  async record(input: RecordInput, options?: CallOptions): Promise<Written> {
    const parameters = new URLSearchParams({ name: input.name })
    if (input.reference !== undefined) parameters.set('reference', input.reference)
    return await this.#write(`/v1/records?${parameters.toString()}`, {
      ...options,
      type: input.mediaType,
      body: input.content
    })
  }

  async content(cid: string, options: ContentOptions = {}): Promise<Content> {
    const query = options.entry === undefined ? '' : `?entry=${encodeURIComponent(options.entry)}`
    const { headers, body } = await this.#request(`/v1/content/${encodeURIComponent(cid)}${query}`, options)
    const length = headers['content-length']
    return {
      mediaType: String(headers['content-type'] ?? 'application/octet-stream'),
      size: length === undefined ? undefined : Number(length),
      body
    }
  }

  async block(cid: string, options?: CallOptions): Promise<Uint8Array> {
    const { body } = await this.#request(`/v1/blocks/${encodeURIComponent(cid)}`, options)
    return await readAll(body)
  }

  async *exportCar(options?: CallOptions): AsyncGenerator<Uint8Array> {
    const { body } = await this.#request('/v1/export', options)
    yield* body as AsyncIterable<Buffer>
  }

  async importCar(source: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<ImportView> {
    return await this.#json('/v1/import', {
      ...options,
      method: 'POST',
      type: 'application/vnd.ipld.car',
      body: source
    })
  }

  async connect(peer: PeerView, options?: CallOptions): Promise<void> {
    const body = JSON.stringify({ network: peer.network, id: peer.id, addresses: peer.addresses })
    await this.#json('/v1/connect', { ...options, method: 'POST', type: 'application/json', body })
  }

  async useBackend(name: string, use: boolean, options?: CallOptions): Promise<void> {
    const body = JSON.stringify({ use })
    const path = `/v1/backends/${encodeURIComponent(name)}`
    await this.#json(path, { ...options, method: 'POST', type: 'application/json', body })
  }

  /** The events of the node from now on; with `traces`, also its activity on the network. Ends when the node ends. */
  async *events(options: CallOptions & { readonly traces?: boolean | undefined } = {}): AsyncGenerator<RemoteEvent> {
    const { body } = await this.#request(`/v1/events${options.traces === true ? '?traces=true' : ''}`, options)
    yield* readEvents(body)
  }

  async #write(path: string, options: RequestOptions): Promise<Written> {
    const { status, body } = await this.#request(path, { ...options, method: 'POST' })
    return { entry: await parse(body), created: status === 201 }
  }

  async #json<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return await parse((await this.#request(path, options)).body)
  }

  async #request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const answer = await this.#send(path, options)
    if (answer.status < 400) return answer
    const { error } = await parse<{ error?: { code?: string; message?: string } }>(answer.body)
    throw new LedgerError((error?.code ?? 'UNAVAILABLE') as LedgerErrorCode, error?.message ?? 'the node failed')
  }

  async #send(path: string, options: RequestOptions): Promise<Answer> {
    const { method = 'GET', body, type, signal } = options
    return await new Promise<Answer>((resolve, reject) => {
      const outgoing = request(`${this.#url}${path}`, {
        method,
        signal,
        agent: false,
        headers: {
          ...(type === undefined ? {} : { 'content-type': type }),
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` })
        }
      })
      const source =
        body === undefined || typeof body === 'string' ? undefined : Readable.from(body, { objectMode: false })
      let answered = false
      outgoing.on('response', (response) => {
        answered = true
        // The node refused before the whole body was sent, and does not want the rest.
        if ((response.statusCode ?? 500) >= 400) source?.destroy()
        resolve({ status: response.statusCode ?? 500, headers: response.headers, body: response })
      })
      outgoing.on('error', (error) => {
        // The answer may arrive before the whole body was sent. Then it is the result.
        if (!answered)
          reject(new LedgerError('UNAVAILABLE', `the node at ${this.#url} does not answer: ${error.message}`, error))
      })
      if (source === undefined) outgoing.end(body)
      else source.on('error', (error) => outgoing.destroy(error)).pipe(outgoing)
    })
  }
}

async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function parse<T>(body: Readable): Promise<T> {
  const text = (await readAll(body)).toString('utf8')
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new LedgerError('UNAVAILABLE', 'what answers there is not a ledger node', cause)
  }
}
