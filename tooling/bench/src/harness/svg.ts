// Self-contained SVG files. Colours follow the reader's light or dark scheme.

const style = `
  text { font: 13px system-ui, sans-serif; fill: #222 }
  .title { font-weight: 600 } .small { font-size: 11px; fill: #666 }
  .grid { stroke: #ddd } .range { stroke: #222; stroke-width: 1.5 }
  .p2pl { fill: #2563eb } .engine { fill: #9ca3af } .alternative { fill: #d97706 } .limit { fill: #d1d5db }
  .line { fill: none; stroke-width: 2 }
  .background { fill: #fff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e5e5e5 } .small { fill: #a3a3a3 } .grid { stroke: #404040 } .range { stroke: #e5e5e5 }
    .p2pl { fill: #60a5fa } .engine { fill: #71717a } .alternative { fill: #fbbf24 } .limit { fill: #52525b }
    .background { fill: #171717 }
  }`
export const width = 860

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

export const label = (x: number, y: number, text: string, extra = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${escapeXml(text)}</text>`

export function document(height: number, title: string, parts: readonly string[]): string {
  const size = `width="${width}" height="${height}"`
  const head = `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">`
  return [head, `<style>${style}\n</style>`, `<rect class="background" ${size}/>`, ...parts, '</svg>\n'].join('\n')
}

/** An axis on which each power of ten takes the same space. */
export class LogAxis {
  readonly #from: number
  readonly #decades: number
  readonly #start: number
  readonly #length: number

  /** Extends to whole powers of ten around the values. */
  constructor(values: readonly number[], start: number, length: number) {
    const positive = values.filter((value) => value > 0)
    this.#from = Math.floor(Math.log10(Math.min(...positive)))
    this.#decades = Math.max(1, Math.ceil(Math.log10(Math.max(...positive))) - this.#from)
    this.#start = start
    this.#length = length
  }

  at(value: number): number {
    const share = (Math.log10(Math.max(value, 10 ** this.#from)) - this.#from) / this.#decades
    return this.#start + share * this.#length
  }

  get ticks(): number[] {
    return Array.from({ length: this.#decades + 1 }, (_, i) => 10 ** (this.#from + i))
  }
}
