import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { accounts } from '../data/accounts.ts'
import { nameOf, plural } from '../data/names.ts'
import { Id } from '../ui/cid.tsx'
import { More } from '../ui/more.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { Search } from '../ui/search.tsx'
import { Count } from '../ui/count.tsx'

const step = 100

export function Accounts(): JSX.Element {
  const text = useSignal('')
  const most = useSignal(step)
  const words = text.value.trim().toLowerCase()
  const found = accounts.value.filter(
    ({ account }) => account.toLowerCase().includes(words) || nameOf(account).toLowerCase().includes(words)
  )
  const sorted = found.toSorted((a, b) => (BigInt(a.balance) > BigInt(b.balance) ? -1 : 1))
  return (
    <section class="card" aria-labelledby="accounts-title">
      <div class="head">
        <h2 id="accounts-title">Accounts</h2>
        <div class="filters">
          <Search text={text} label="Search accounts" hint="name or account id" />
        </div>
      </div>
      <Count text={plural(found.length, 'account')} />
      <Scroll label="Table of accounts">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col" class="number">
                Balance
              </th>
              <th scope="col" class="number">
                Entries written
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, most.value).map(({ account, balance, nextSequence }) => (
              <tr key={account}>
                <td>
                  <Id id={account} label={nameOf(account)} />
                </td>
                <td class="number">{BigInt(balance).toLocaleString('en')}</td>
                <td class="number">{nextSequence.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <More shown={most} step={step} all={sorted.length} />
    </section>
  )
}
