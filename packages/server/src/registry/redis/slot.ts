const SLOTS = 16_384

/** The slot of a cluster that a key is in: by what is between its first braces, if they hold anything. */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open)
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % SLOTS
}

/** XMODEM's, as the cluster specification says. */
function crc16(text: string): number {
  let crc = 0
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte << 8
    for (let i = 0; i < 8; i++) crc = (crc & 0x80_00 ? (crc << 1) ^ 0x10_21 : crc << 1) & 0xff_ff
  }
  return crc
}
