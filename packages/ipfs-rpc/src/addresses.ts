const maxAddresses = 16
const maxAddressLength = 512

/** Addresses as the port allows them: few and short. */
export function boundedAddresses(addresses: readonly unknown[]): string[] {
  return addresses
    .filter((address): address is string => typeof address === 'string' && address.length <= maxAddressLength)
    .slice(0, maxAddresses)
}
