// How numbers and times read. Pure functions.

/** So many seconds as people say it: "45 s", "12 min", "2 h 5 min", "3 d 4 h"; "" for null. */
export function age(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "";
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two(hours, "h", minutes % 60, "min");
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

function two(large, unit, small, smaller) {
  return small ? `${large} ${unit} ${small} ${smaller}` : `${large} ${unit}`;
}

/** Short times, as of a hand-over: "18 ms", "1.2 s", or an age. */
export function brief(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : age(seconds);
}

/** "1 claim", "7 claims". */
export function count(number, one, many = `${one}s`) {
  return `${whole(number)} ${number === 1 ? one : many}`;
}

/** A number with its thousands apart. */
export function whole(number) {
  return number.toLocaleString("en");
}

/** The local time of day of an RFC 3339 time or a Date. */
export function clock(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString("en-GB");
}

/** The local date and time of an RFC 3339 time. */
export function moment(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return `${date.toLocaleDateString("en-CA")} ${date.toLocaleTimeString("en-GB")}`;
}

/** An estimate with its spread: "8 min (5 min to 14 min)". */
export function estimate(found) {
  return `${age(found.seconds)} (${age(found.lowSeconds)} to ${age(found.highSeconds)})`;
}
