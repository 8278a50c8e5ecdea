// Money: whole minor units (cents) as BigInt, and JSON that does not touch the digits of a number.
//
// BigInt and not number: 0.1 + 0.2 cannot happen, and mixing the two is a TypeError instead of a wrong cent.

import { randomUUID } from "node:crypto";

/** A number of a JSON text, still in its own digits. */
export class Numeral {
  constructor(text) {
    this.text = text;
  }
}

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const NUMERAL = `numeral ${randomUUID()}`; // nobody outside can know this name

/**
 * JSON.parse with numbers as Numeral: JSON.parse itself makes binary fractions of them, and 4503599627370497.6 is lost by then.
 * From Node 21 on, JSON.parse hands the number's own text to a reviver as `context.source`, and all of this is one line.
 */
export function parseJson(text) {
  JSON.parse(text); // what is not JSON ends here; the rest can rely on it
  const marked = text.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') ? token : `{"${NUMERAL}":"${token}"}`));
  return JSON.parse(marked, (_, value) => (typeof value?.[NUMERAL] === "string" ? new Numeral(value[NUMERAL]) : value));
}

/** JSON.stringify with BigInt as a number, in all its digits. */
export function writeJson(value) {
  const numbers = [];
  const marked = JSON.stringify(value, (_, member) =>
    typeof member === "bigint" ? { [NUMERAL]: numbers.push(member) - 1 } : member,
  );
  return marked.replaceAll(new RegExp(`\\{"${NUMERAL}":(\\d+)\\}`, "g"), (_, index) => String(numbers[index]));
}

/** A decimal number that can be scaled and compared exactly: `units` times 10 to the power of -`scale`. */
function decimal(text) {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (!match || text.length > 64) return null;
  const [, sign, whole, fraction = "", exponent = "0"] = match;
  const units = BigInt(whole + fraction);
  return { units: sign ? -units : units, scale: fraction.length - Number(exponent) };
}

const LARGEST = 10n ** 18n; // minor units; no order is that large

/**
 * The amount, a decimal number of major units, in minor units of a currency with so many digits; null if it is none, negative or
 * absurdly large, and undefined if it is more precise than the currency.
 */
export function minorUnits(text, digits) {
  const amount = decimal(text);
  if (!amount || amount.units < 0n || digits - amount.scale > 18) return null;
  const shift = BigInt(Math.abs(digits - amount.scale));
  if (digits >= amount.scale) return inRange(amount.units * 10n ** shift);
  // Too many fraction digits. Zeros are harmless, and so is float noise: the provider's own pages show 53.769999999999996.
  const unit = 10n ** shift;
  const rounded = (amount.units + unit / 2n) / unit;
  const noise = amount.units - rounded * unit;
  return (noise < 0n ? -noise : noise) * 1_000_000n > unit ? undefined : inRange(rounded);
}

function inRange(minor) {
  return minor <= LARGEST ? minor : null;
}

const OTHER_DIGITS = new Map(
  Object.entries({
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
  }).flatMap(([digits, currencies]) => currencies.split(" ").map((currency) => [currency, Number(digits)])),
);

/** How many fraction digits amounts in this currency have by ISO 4217. Intl knows others: those that people use. */
export function minorDigits(currency) {
  return OTHER_DIGITS.get(currency) ?? 2;
}
