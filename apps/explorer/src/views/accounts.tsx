import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { accounts } from '../data/accounts.ts'
import { nameOf } from '../data/names.ts'
import { Id } from '../ui/cid.tsx'
import { Listing } from '../ui/listing.tsx'

const columns = [{ name: 'Account' }, { name: 'Balance', number: true }, { name: 'Entries written', number: true }]

export function Accounts(): JSX.Element {
  const text = useSignal('')
  const words = text.value.trim().toLowerCase()
  const found = accounts.value
    .filter(({ account }) => account.toLowerCase().includes(words) || nameOf(account).toLowerCase().includes(words))
    .toSorted((a, b) => (BigInt(a.balance) > BigInt(b.balance) ? -1 : 1))
  return (
    <Listing
      title="Accounts"
      one="account"
      text={text}
      hint="name or account id"
      columns={columns}
      items={found}
      step={100}
      row={({ account, balance, nextSequence }) => (
        <tr key={account}>
          <td>
            <Id id={account} label={nameOf(account)} />
          </td>
          <td class="number">{BigInt(balance).toLocaleString('en')}</td>
          <td class="number">{nextSequence.toLocaleString('en')}</td>
        </tr>
      )}
    />
  )
}
