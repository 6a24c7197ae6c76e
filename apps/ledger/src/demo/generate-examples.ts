import { mkdir, writeFile } from 'node:fs/promises'
import { deflateSync, crc32 } from 'node:zlib'
import { branches, members } from './accounts.ts'
import { formatCsv } from './csv.ts'

// Generates examples/: `node -C @p2pl/source src/demo/generate-examples.ts`. The files are the same every time.

const transferCount = 360

/** A number in [0, 1) from a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const random = seeded(20_261_123)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const day = (i: number): string => new Date(Date.UTC(2026, 0, 5) + i * 86_400_000).toISOString().slice(0, 10)

const reasons: readonly (readonly [memo: string, least: number, most: number])[] = [
  ['deposit back, drill', 2_000, 4_000],
  ['deposit back, ladder', 3_000, 6_000],
  ['deposit back, pressure washer', 5_000, 9_000],
  ['repair of the table saw', 1_500, 7_500],
  ['evening shift', 4_800, 4_800],
  ['Saturday shift', 7_200, 7_200],
  ['course "Sharpening, without tears"', 9_000, 12_000],
  ['sanding belts, 10 pieces', 800, 2_400],
  ['petrol for the chipper', 600, 1_900],
  ['flyers, 500', 2_500, 3_500],
  ['bicycle trailer, second hand', 6_000, 9_900],
  ['transport of the concrete mixer', 1_000, 2_600]
]

/** A typing error: an amount larger than all balances together. Every peer must reject these. */
const typos: ReadonlyMap<number, string> = new Map([
  [57, 'alder'],
  [171, 'birch'],
  [290, 'cedar']
])

function transfers(): string {
  const rows = Array.from({ length: transferCount }, (_, i) => {
    const typo = typos.get(i)
    const from = typo ?? pick(branches)
    const others = branches.filter((branch) => branch !== from)
    const [memo, least, most] = pick(reasons)
    const toBranch = random() < 0.08
    const to = toBranch ? pick(others) : pick(members)
    const amount = least + Math.floor(random() * (most - least + 1))
    return [
      i + 1,
      day(Math.floor(i / 2)),
      from,
      to,
      typo === undefined ? amount : amount * 1_000_000,
      toBranch ? 'settlement between branches' : memo
    ]
  })
  return formatCsv(['number', 'date', 'from', 'to', 'amount', 'memo'], rows)
}

const tools = ['drill', 'jigsaw', 'ladder', 'router', 'table saw', 'pressure washer', 'chipper', 'laser level', 'tiler']

function inventory(): string {
  const rows = Array.from({ length: 240 }, (_, i) => [
    `T-${String(i + 1).padStart(4, '0')}`,
    pick(tools),
    pick(branches),
    2012 + Math.floor(random() * 14),
    (random() * 400 + 20).toFixed(2),
    pick(['good', 'good', 'good', 'worn', 'in repair'])
  ])
  return formatCsv(['id', 'tool', 'branch', 'bought', 'value', 'state'], rows)
}

function loans(): string {
  const rows = Array.from({ length: 900 }, (_, i) => {
    const out = Math.floor(random() * 300)
    return [
      i + 1,
      `T-${String(1 + Math.floor(random() * 240)).padStart(4, '0')}`,
      pick(members),
      day(out),
      day(out + 3)
    ]
  })
  return formatCsv(['loan', 'tool', 'member', 'out', 'back'], rows)
}

function prices(): string {
  const list = tools.map((tool) => ({ tool, perDay: Math.floor(random() * 1_800) + 200, deposit: 2_000 }))
  return `${JSON.stringify({ currency: 'EUR', unit: 'cent', validFrom: '2026-01-05', list }, undefined, 2)}\n`
}

function minutes(): string {
  const points = ['Report of the treasurer', 'A third shelf in Birch', 'Opening on Sundays', 'Any other business']
  const sections = points.map((point, i) => {
    const votes = 8 + Math.floor(random() * 12)
    return `## ${i + 1}. ${point}\n\nIn favour: ${votes}. Against: ${Math.floor(random() * 4)}. Abstentions: 1.\n`
  })
  return `# Minutes of the general meeting, 2026-03-14\n\nPresent: ${members.slice(0, 19).join(', ')}.\n\n${sections.join('\n')}`
}

function statutes(): string {
  const articles = [
    'The association lends tools to its members.',
    'Each of the three branches keeps its own purse and pays from it.',
    'Whoever breaks a tool says so; nobody is blamed for saying so.',
    'Deposits are paid back on the day of the return.',
    'The ledger is kept by all branches together. No branch can change it alone.'
  ]
  return articles.map((text, i) => `Article ${i + 1}\n\n    ${text}\n`).join('\n')
}

function logo(): string {
  const teeth = Array.from(
    { length: 12 },
    (_, i) => `<rect x="46" y="4" width="8" height="14" transform="rotate(${i * 30} 50 50)"/>`
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" fill="#3b6e4f">\n${teeth.join('\n')}\n<path fill-rule="evenodd" d="M50 14a36 36 0 1 0 .01 0zM50 36a14 14 0 1 1-.01 0z"/>\n</svg>\n`
}

function chart(): string {
  const bars = Array.from({ length: 12 }, (_, month) => {
    const height = Math.floor(20 + random() * 100)
    return `<rect x="${10 + month * 24}" y="${130 - height}" width="18" height="${height}"><title>month ${month + 1}: ${height}</title></rect>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 140" fill="#8a5a2b">\n${bars.join('\n')}\n</svg>\n`
}

function page(): string {
  const rows = branches.map((branch) => `<tr><th>${branch}</th><td>Tue, Thu 17–20</td><td>Sat 10–14</td></tr>`)
  return `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Opening hours</title>\n<table>\n${rows.join('\n')}\n</table>\n</html>\n`
}

/** A small picture, 96 × 96 pixels, RGB. */
function picture(): Buffer {
  const size = 96
  const raw = Buffer.alloc(size * (1 + size * 3))
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const at = y * (1 + size * 3) + 1 + x * 3
      const grain = Math.floor(random() * 24)
      raw[at] = 120 + Math.floor(60 * Math.sin(x / 7)) + grain
      raw[at + 1] = 90 + Math.floor(40 * Math.sin((x + y) / 11)) + grain
      raw[at + 2] = 60 + grain
    }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0))
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, check])
}

/** The files of `examples/`, by path. */
export function generateExamples(): ReadonlyMap<string, string | Buffer> {
  return new Map<string, string | Buffer>([
    ['transfers.csv', transfers()],
    ['documents/statutes.txt', statutes()],
    ['documents/minutes-2026-03-14.md', minutes()],
    ['documents/inventory.csv', inventory()],
    ['documents/loans-2026.csv', loans()],
    ['documents/prices.json', prices()],
    ['documents/logo.svg', logo()],
    ['documents/loans-by-month.svg', chart()],
    ['documents/opening-hours.html', page()],
    ['documents/workbench.png', picture()]
  ])
}

if (process.argv[1] === import.meta.filename) {
  const folder = new URL('../../examples/', import.meta.url)
  await mkdir(new URL('documents/', folder), { recursive: true })
  for (const [path, content] of generateExamples()) await writeFile(new URL(path, folder), content)
}
