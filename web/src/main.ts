import "@/ui/fonts.css";
import "@/ui/base.css";
import { createApp } from "vue";
import App from "@/App.vue";

createApp(App).mount("#app");
