import type { BlockCapabilities, Capabilities, MessageCapabilities, RoutingCapabilities } from '@p2pl/core/backend'

type Row<Part> = readonly [feature: string, value: (part: Part) => string]

const support = { native: 'yes', emulated: 'yes, by the adapter', none: 'no' }
const yesNo = (value: boolean): string => (value ? 'yes' : 'no')
const hashNames: Readonly<Record<number, string>> = { 0x12: 'sha2-256', 0x13: 'sha2-512', 0x1e: 'blake3' }

const messageRows: readonly Row<MessageCapabilities>[] = [
  ['delivery', ({ delivery }) => ({ reliable: 'reliable', 'at-most-once': 'at most once' })[delivery]],
  ['order of one sender is kept', ({ ordering }) => yesNo(ordering === 'sender')],
  ['losses are reported', ({ gaps }) => support[gaps]],
  ['largest message', ({ maxMessageBytes }) => size(maxMessageBytes)],
  ['pause between messages', ({ pacing }) => (pacing === 0 ? 'none' : duration(pacing))],
  ['peers of a topic', ({ peers }) => support[peers]],
  ['recipients of a message', ({ recipients }) => support[recipients]],
  ['checks before it passes on', ({ validation }) => support[validation]],
  ['sender', ({ sender }) => ({ verified: 'verified', claimed: 'claimed', none: 'not named' })[sender]],
  ['hears its own messages', ({ echo }) => yesNo(echo)]
]

const blockRows: readonly Row<BlockCapabilities>[] = [
  [
    'stored content survives',
    ({ persistence }) => ({ none: 'nothing', process: 'the process', power: 'a loss of power' })[persistence]
  ],
  [
    'blocks of other peers',
    ({ remote, keepsFetched }) => (remote ? (keepsFetched ? 'yes, kept' : 'yes, not kept') : 'no')
  ],
  ['largest block', ({ maxBlockBytes }) => size(maxBlockBytes)],
  ['pins', ({ pins }) => support[pins]],
  ['garbage collection', ({ gc }) => support[gc]],
  ['hashes', ({ hashes }) => hashes.map((code) => hashNames[code] ?? `0x${code.toString(16)}`).join(', ')]
]

const routingRows: readonly Row<RoutingCapabilities>[] = [
  ['provide', ({ provide }) => support[provide]],
  ['unprovide', ({ unprovide }) => support[unprovide]],
  ['find providers', ({ findProviders }) => support[findProviders]],
  ['find a peer by its id', ({ findPeer }) => support[findPeer]],
  ['direct connections', ({ connect }) => support[connect]],
  [
    'a provider record lives',
    ({ recordLifetime }) => (recordLifetime === Infinity ? 'for ever' : duration(recordLifetime))
  ]
]

/** A Markdown table of the capabilities of several backends: one column for each, under its name. */
export function capabilityMatrix(backends: Readonly<Record<string, Capabilities>>): string {
  const columns = Object.values(backends)
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const section = <Part>(
    title: string,
    rows: readonly Row<Part>[],
    part: (c: Capabilities) => Part | undefined
  ): string[] => [
    line([`**${title}**`, ...columns.map((c) => yesNo(part(c) !== undefined))]),
    ...rows.map(([feature, value]) =>
      line([
        feature,
        ...columns.map((c) => {
          const declared = part(c)
          return declared === undefined ? '' : value(declared)
        })
      ])
    )
  ]
  return [
    line(['', ...Object.keys(backends)]),
    line(['---', ...columns.map(() => '---')]),
    ...section('messages', messageRows, ({ messages }) => messages),
    ...section('content', blockRows, ({ blocks }) => blocks),
    ...section('routing', routingRows, ({ routing }) => routing)
  ].join('\n')
}

function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB']
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  return `${Number((bytes / 1024 ** step).toFixed(1))} ${units[step] ?? ''}`
}

function duration(ms: number): string {
  const units = [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
    [1, 'ms']
  ] as const
  const [length, unit] = units.find(([least]) => ms >= least) ?? [1, 'ms']
  return `${Number((ms / length).toFixed(1))} ${unit}`
}
