// Money: whole units as BigInt, the way Stripe counts them, and their decimal form for people.
//
// BigInt and not number: 0.1 + 0.2 cannot happen, and mixing the two is a TypeError instead of a wrong cent.

const ZERO_DECIMAL = new Set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" "));
const THREE_DECIMAL = new Set("BHD JOD KWD OMR TND".split(" "));

/** How many digits Stripe's units have. This is not ISO 4217: ISK and UGX have no cents, and are sent in hundredths all the same. */
function digits(currency) {
  if (ZERO_DECIMAL.has(currency)) return 0;
  return THREE_DECIMAL.has(currency) ? 3 : 2;
}

/** The units of a number of a JSON text; undefined if it is none. A larger one would have lost digits when it was parsed. */
export function units(number) {
  return Number.isSafeInteger(number) ? BigInt(number) : undefined;
}

/** "27.01" USD is 2701n; undefined for what is no amount of that currency. */
export function fromDecimal(text, currency) {
  const [, whole, fraction = ""] = /^(\d{1,15})(?:\.(\d{1,18}))?$/.exec(text) ?? [];
  const excess = fraction.slice(digits(currency));
  if (whole === undefined || /[1-9]/.test(excess)) return undefined;
  return BigInt(whole + fraction.slice(0, digits(currency)).padEnd(digits(currency), "0"));
}

/** 2701n in USD is "27.01". */
export function toDecimal(units, currency) {
  const text = String(units).padStart(digits(currency) + 1, "0");
  const point = text.length - digits(currency);
  return digits(currency) ? `${text.slice(0, point)}.${text.slice(point)}` : text;
}

export function sum(amounts) {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

export function max(a, b) {
  return a > b ? a : b;
}
