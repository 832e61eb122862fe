// Dark or light. Not a module: it runs before the first paint, so that nothing flashes.
// No choice stored: as the system has it.
(() => {
  const KEY = "node-slots-theme";
  const CHOICES = ["system", "light", "dark"];

  function stored() {
    try {
      return localStorage.getItem(KEY) ?? "system";
    } catch {
      return "system"; // storage may be forbidden; then the choice lasts as long as the page
    }
  }

  let choice = CHOICES.includes(stored()) ? stored() : "system";

  function apply() {
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  }

  apply();
  window.nodeSlotsTheme = {
    get choice() {
      return choice;
    },
    next() {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
      apply();
      try {
        localStorage.setItem(KEY, choice);
      } catch {
        // as above
      }
      return choice;
    },
  };
})();
