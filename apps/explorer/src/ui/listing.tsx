import type { JSX } from 'preact'
import { type Signal, useSignal } from '@preact/signals'
import { plural } from '../data/names.ts'
import { Count } from './count.tsx'
import { More } from './more.tsx'
import { Scroll } from './scroll.tsx'
import { Search } from './search.tsx'

export interface ListingProps<Item> {
  /** The plural of the items, capitalised: "Files". */
  readonly title: string
  /** The singular: "file". */
  readonly one: string
  /** The text to search for, and the text that each item is compared with. */
  readonly text: Signal<string>
  readonly hint: string
  /** Columns of numbers are aligned to the right. */
  readonly columns: readonly { readonly name: string; readonly number?: boolean }[]
  /** The search results. */
  readonly items: readonly Item[]
  /** How many rows are shown at first, and how many each click adds. */
  readonly step: number
  readonly row: (item: Item) => JSX.Element
}

/** A card with a searchable table. */
export function Listing<Item>(props: ListingProps<Item>): JSX.Element {
  const { title, one, text, hint, columns, items, step, row } = props
  const most = useSignal(step)
  const id = `${one}-listing`
  return (
    <section class="card" aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        <div class="filters">
          <Search text={text} label={`Search ${title.toLowerCase()}`} hint={hint} />
        </div>
      </div>
      <Count text={plural(items.length, one)} />
      <Scroll label={`Table of ${title.toLowerCase()}`}>
        <table>
          <thead>
            <tr>
              {columns.map(({ name, number }) => (
                <th key={name} scope="col" class={number === true ? 'number' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{items.slice(0, most.value).map(row)}</tbody>
        </table>
      </Scroll>
      <More shown={most} step={step} all={items.length} />
    </section>
  )
}
